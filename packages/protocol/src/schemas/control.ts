import { z } from 'zod';
import type { ControlMessageOf, ControlType } from '../control-messages.js';
import {
  commandId,
  errorBody,
  id,
  milliseconds,
  resetReason,
  resumeInfo,
  runStatus,
  seq,
  streamInfo,
} from './values.js';

/** The most specific first: a union takes the first that fits and drops what it does not name. */
const commandResult = z.union([
  z.object({ runId: id, threadId: id, messageId: id }),
  z.object({ runId: id, threadId: id }),
  z.object({ runId: id, status: runStatus }),
  z.object({ toolCallId: id }),
]);

/** The schemas as zod infers them; `SERVER_MESSAGE_SCHEMAS` is what others see. */
export const controlSchemas = {
  connection_established: z.object({
    type: z.literal('connection_established'),
    connectionId: id,
    userId: id,
    serverTimeMs: milliseconds,
    stream: streamInfo,
    resume: resumeInfo,
    limits: z.object({ maxMessageBytes: z.int().min(1), maxCommandsPerMinute: z.int().min(0) }),
    heartbeatIntervalMs: milliseconds,
    tokenExpiresAtMs: milliseconds,
    reconnect: z.object({ minDelayMs: milliseconds, maxDelayMs: milliseconds, windowMs: milliseconds }),
  }),
  caught_up: z.object({ type: z.literal('caught_up'), seq, ref: commandId.exactOptional() }),
  reset: z.object({
    type: z.literal('reset'),
    reason: resetReason,
    stream: streamInfo,
    ref: commandId.exactOptional(),
  }),
  heartbeat: z.object({ type: z.literal('heartbeat'), sent: seq, head: seq, serverTimeMs: milliseconds }),
  pong: z.object({ type: z.literal('pong'), n: z.number().exactOptional() }),
  command_accepted: z.object({
    type: z.literal('command_accepted'),
    ref: commandId.nullable(),
    result: commandResult,
  }),
  command_rejected: z.object({
    type: z.literal('command_rejected'),
    ref: commandId.nullable(),
    error: errorBody,
  }),
  auth_expiring: z.object({ type: z.literal('auth_expiring'), expiresAtMs: milliseconds }),
  auth_refreshed: z.object({ type: z.literal('auth_refreshed'), ref: commandId, expiresAtMs: milliseconds }),
  server_draining: z.object({
    type: z.literal('server_draining'),
    reconnectAfterMs: milliseconds,
    deadlineAtMs: milliseconds,
  }),
  error: errorBody.extend({ type: z.literal('error'), ref: commandId.exactOptional() }),
};

/** The schema of each control message (protocol §3). Unknown fields are dropped. */
export const SERVER_MESSAGE_SCHEMAS: {
  readonly [T in ControlType]: z.ZodType<ControlMessageOf<T>>;
} = /* @__PURE__ */ Object.freeze(controlSchemas);
