import { z } from 'zod';
import type { ErrorCode } from '../error-codes.js';

export const id = z.string().min(1).max(128);
export const commandId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected 1–64 of A–Z a–z 0–9 _ -');
/** Any JSON value, but a value. */
export const json: z.ZodType<unknown, unknown> = z
  .unknown()
  .refine((value) => value !== undefined, 'expected a value');
export const seq = z.int().min(0);
export const milliseconds = z.number().min(0);
export const positiveSeq = z.int().min(1);

/** Open on purpose: a newer server may send codes that this version does not list. */
const errorCode = z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/) as z.ZodType<ErrorCode>;

export const messagePart = z.object({ type: z.literal('text'), text: z.string() });
export const messageContent = z.union(
  [z.string(), z.array(messagePart)],
  'expected text or a list of text parts',
);

export const terminalRunStatus = z.enum(['completed', 'failed', 'cancelled', 'timed_out', 'interrupted']);
export const runStatus = z.enum(['accepted', 'running', ...terminalRunStatus.options]);
export const toolStatus = z.enum(['success', 'error', 'timeout', 'denied', 'cancelled']);
export const busyPolicy = z.enum(['reject', 'enqueue', 'interrupt']);
export const messageRole = z.enum(['user', 'assistant']);
export const failure = z.object({ code: z.string(), message: z.string() });
export const usage = z.object({ inputTokens: z.int().min(0), outputTokens: z.int().min(0) });

export const resetReason = z.enum(['epoch', 'trimmed', 'ahead', 'fork']);
export const streamInfo = z.object({ epoch: id, first: positiveSeq, head: seq, headId: id.nullable() });
export const resumeInfo = z.object({
  mode: z.enum(['live', 'replay', 'reset']),
  from: positiveSeq,
  reason: resetReason.exactOptional(),
});
/** Any value parses: whatever is wrong with a cursor leads to `reset: epoch`, not to an error. */
export const resumeRequest = z
  .object({
    epoch: z.unknown().exactOptional(),
    seq: z.unknown().exactOptional(),
    id: z.unknown().exactOptional(),
  })
  .catch({});
export const errorBody = z.object({
  code: errorCode,
  message: z.string(),
  retryable: z.boolean(),
  retryAfterMs: milliseconds.exactOptional(),
  details: z.record(z.string(), z.unknown()).exactOptional(),
});
