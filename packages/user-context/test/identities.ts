import type { IdGenerator } from '@runwire/id-generation';
import { createIdGenerator } from '@runwire/id-generation';
import { createManualClock } from '@runwire/kernel/testing';
import type { ContextErrorCode, ExecutionContextFields } from '../src/index.js';
import { ContextError } from '../src/index.js';

/** The ids of a test file. */
export const ids: IdGenerator = createIdGenerator({ clock: createManualClock() });

/** Every field of a run's context, all valid. */
export function validFields(): Required<ExecutionContextFields> {
  const threadId = ids.threadId();
  return {
    userId: ids.userId(),
    threadId,
    runId: ids.runId(threadId),
    requestId: ids.requestId(),
    sessionId: 'session-7f3a',
    connectionId: ids.connectionId(),
    createdAtMs: 1_767_225_600_000,
    metadata: { locale: 'de', tags: ['a', 'b'], plan: { name: 'team', seats: 3 } },
  };
}

/** The refusal that `run` ends in. */
export function refusal(run: () => unknown): { code: ContextErrorCode; field: unknown; message: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof ContextError) {
      return { code: error.code, field: error.details?.['field'], message: error.message };
    }
    throw error;
  }
  throw new Error('Expected a ContextError.');
}
