import { z } from 'zod';
import type { EventType, RunwireEventOf } from '../events.js';
import {
  commandId,
  failure,
  id,
  json,
  messagePart,
  messageRole,
  milliseconds,
  positiveSeq,
  seq,
  terminalRunStatus,
  toolStatus,
  usage,
} from './values.js';

const stamp = { seq: positiveSeq, id, at: z.int().min(0), from: positiveSeq.exactOptional() };
const threadTitle = z.object({ title: z.string().exactOptional() });

function runEvent<T extends EventType, Data extends z.ZodType>(type: T, data: Data) {
  return z.object({ type: z.literal(type), ...stamp, threadId: id, runId: id, data });
}

function threadEvent<T extends EventType, Data extends z.ZodType>(type: T, data: Data) {
  return z.object({ type: z.literal(type), ...stamp, threadId: id, runId: id.exactOptional(), data });
}

/** The schemas as zod infers them; `EVENT_SCHEMAS` is what others see. */
export const eventSchemas = {
  message_added: threadEvent(
    'message_added',
    z.object({
      messageId: id,
      role: messageRole,
      parts: z.array(messagePart),
      commandId: commandId.exactOptional(),
    }),
  ),
  agent_started: runEvent(
    'agent_started',
    z.object({
      agent: z.string(),
      messageId: id,
      attempt: z.int().min(1),
      parentRunId: id.exactOptional(),
      input: z.unknown().exactOptional(),
    }),
  ),
  agent_thinking: runEvent(
    'agent_thinking',
    z.object({
      agent: z.string(),
      text: z.string(),
      step: z.int().min(0).exactOptional(),
      totalSteps: z.int().min(0).exactOptional(),
    }),
  ),
  agent_delta: runEvent(
    'agent_delta',
    z.object({
      messageId: id,
      part: z.int().min(0),
      kind: z.enum(['text', 'reasoning', 'tool_input']),
      offset: seq,
      text: z.string(),
      toolCallId: id.exactOptional(),
    }),
  ),
  tool_executing: runEvent('tool_executing', z.object({ toolCallId: id, tool: z.string(), input: json })),
  tool_progress: runEvent(
    'tool_progress',
    z.object({
      toolCallId: id,
      message: z.string().exactOptional(),
      percent: z.number().min(0).max(100).exactOptional(),
    }),
  ),
  approval_required: runEvent(
    'approval_required',
    z.object({ toolCallId: id, tool: z.string(), input: json, expiresAtMs: milliseconds }),
  ),
  approval_resolved: runEvent(
    'approval_resolved',
    z.object({ toolCallId: id, approved: z.boolean(), by: id, reason: z.string().exactOptional() }),
  ),
  tool_completed: runEvent(
    'tool_completed',
    z.object({
      toolCallId: id,
      tool: z.string(),
      status: toolStatus,
      output: z.unknown().exactOptional(),
      outputUrl: z.string().exactOptional(),
      error: failure.exactOptional(),
      durationMs: milliseconds,
    }),
  ),
  agent_error: runEvent(
    'agent_error',
    z.object({ code: z.string(), message: z.string(), recoverable: z.boolean() }),
  ),
  agent_completed: runEvent(
    'agent_completed',
    z.object({
      agent: z.string(),
      messageId: id,
      status: terminalRunStatus,
      result: z.string().exactOptional(),
      resultUrl: z.string().exactOptional(),
      error: failure.exactOptional(),
      durationMs: milliseconds,
      usage: usage.exactOptional(),
    }),
  ),
  thread_created: threadEvent('thread_created', threadTitle),
  thread_updated: threadEvent('thread_updated', threadTitle),
  thread_deleted: threadEvent('thread_deleted', z.object({})),
  erased: z.object({ type: z.literal('erased'), ...stamp, data: z.object({}) }),
};

/** The schema of each event (protocol §4). Unknown fields are dropped. */
export const EVENT_SCHEMAS: {
  readonly [T in EventType]: z.ZodType<RunwireEventOf<T>>;
} = /* @__PURE__ */ Object.freeze(eventSchemas);
