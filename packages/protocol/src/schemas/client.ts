import { z } from 'zod';
import type { ClientMessageOf, ClientMessageType } from '../client-messages.js';
import { busyPolicy, commandId, id, messageContent, resumeRequest, seq } from './values.js';

const token = z.string().min(1);

/** The schemas as zod infers them; `CLIENT_MESSAGE_SCHEMAS` is what others see. */
export const clientSchemas = {
  authenticate: z.object({
    type: z.literal('authenticate'),
    token,
    resume: resumeRequest.exactOptional(),
    replaces: id.exactOptional(),
  }),
  refresh_token: z.object({ type: z.literal('refresh_token'), id: commandId, token }),
  user_message: z.object({
    type: z.literal('user_message'),
    id: commandId.exactOptional(),
    threadId: id.exactOptional(),
    content: messageContent,
    agent: id.exactOptional(),
    onBusy: busyPolicy.exactOptional(),
    metadata: z.record(z.string(), z.unknown()).exactOptional(),
  }),
  start_agent: z.object({
    type: z.literal('start_agent'),
    id: commandId.exactOptional(),
    agent: id,
    input: messageContent,
    threadId: id.exactOptional(),
  }),
  stop_agent: z.object({ type: z.literal('stop_agent'), id: commandId.exactOptional(), runId: id }),
  resolve_approval: z.object({
    type: z.literal('resolve_approval'),
    id: commandId.exactOptional(),
    runId: id,
    toolCallId: id,
    approved: z.boolean(),
    reason: z.string().exactOptional(),
  }),
  ack: z.object({ type: z.literal('ack'), seq }),
  resync: z.object({
    type: z.literal('resync'),
    id: commandId.exactOptional(),
    epoch: id,
    seq,
    eventId: id.exactOptional(),
  }),
  ping: z.object({ type: z.literal('ping'), n: z.number().exactOptional() }),
};

/** The schema of each client message (protocol §5). Unknown fields are dropped. */
export const CLIENT_MESSAGE_SCHEMAS: {
  readonly [T in ClientMessageType]: z.ZodType<ClientMessageOf<T>>;
} = /* @__PURE__ */ Object.freeze(clientSchemas);
