import type { EventData, EventError, RunEndStatus } from '@runwire/protocol';
import type { AgentResult } from './definitions.js';
import { FAILURES } from './errors.js';

/** Why a run is over; the first one counts. */
export type RunVerdict =
  | { readonly kind: 'returned'; readonly result: AgentResult | undefined }
  | { readonly kind: 'failed'; readonly failure: EventError; readonly cause: unknown }
  | { readonly kind: 'timedOut'; readonly limit: 'run' | 'idle' }
  | { readonly kind: 'stopped'; readonly status: 'cancelled' | 'interrupted' }
  /** Another process begins the next attempt. */
  | { readonly kind: 'abandoned' }
  /** Somebody else has the run: it is not ours to end. */
  | { readonly kind: 'takenOver' };

/** What a run ends with. */
export interface RunConclusion extends Pick<EventData<'agent_completed'>, 'result' | 'error' | 'usage'> {
  readonly status: RunEndStatus;
}

/** How a run ends, from why it is over and what it has streamed. Pure. */
export function concludeRun(
  verdict: Exclude<RunVerdict, { kind: 'abandoned' | 'takenOver' }>,
  streamed: string,
): RunConclusion {
  switch (verdict.kind) {
    case 'returned':
      return concludeReturn(verdict.result, streamed);
    case 'failed':
      return { status: 'failed', error: verdict.failure };
    case 'timedOut':
      return {
        status: 'timed_out',
        error: verdict.limit === 'run' ? FAILURES.runTimeout : FAILURES.idleTimeout,
      };
    case 'stopped':
      return verdict.status === 'cancelled'
        ? { status: 'cancelled' }
        : { status: 'interrupted', error: FAILURES.interrupted };
  }
}

function concludeReturn(returned: AgentResult | undefined, streamed: string): RunConclusion {
  const result = returned?.text ?? streamed;
  const usage = returned?.usage === undefined ? {} : { usage: returned.usage };
  if (result === '') return { status: 'failed', error: FAILURES.agentSilent, ...usage };
  return { status: 'completed', result, ...usage };
}
