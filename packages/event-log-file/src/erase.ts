import type { ThreadId } from '@runwire/id-generation';
import type { StateChange } from './state-item.js';
import type { StreamState } from './state-record.js';
import type { ThreadSearch } from './thread-search.js';
import type { UserLog } from './user-log.js';

/** What erasing needs of the log. */
export interface ErasureDeps {
  readonly monotonicMs: () => number;
  /** How far the search has come; what is appended since is looked at with the change. */
  readonly search: ThreadSearch;
  /** Events of the user are to leave the disk: those in these segments, and what can be read no more. */
  readonly erased: (user: UserLog, segments: ReadonlySet<number>) => void;
}

/** Erases a thread's events up to the head at the time of the change, and ends its open runs. */
export function erasure(threadId: ThreadId, deps: ErasureDeps): StateChange {
  const { search } = deps;
  let through = 0;
  return {
    next(state, user) {
      search.finish();
      through = user.head;
      const isOver = state.ledger.open.every((run) => run.threadId !== threadId);
      // Of the thread may also be what can no longer be read, and is on the disk still.
      if (search.segments.size === 0 && user.oldestDropped === 0 && isOver) return undefined;
      const others = state.erasures.filter((earlier) => earlier.threadId !== threadId);
      return { ...withoutRuns(state, threadId, through), erasures: [...others, { threadId, through }] };
    },
    apply(user) {
      user.ledger.endRunsOf(threadId, { lastSeq: through, nowMs: deps.monotonicMs() });
      user.erase(threadId, through);
      deps.erased(user, search.segments);
    },
  };
}

function withoutRuns(state: StreamState, threadId: ThreadId, through: number): StreamState {
  const { ledger } = state;
  const ended = ledger.open.filter((run) => run.threadId === threadId);
  return {
    ...state,
    ledger: {
      ...ledger,
      open: ledger.open.filter((run) => run.threadId !== threadId),
      ended: [...ledger.ended, ...ended.map(({ runId }) => ({ runId, lastSeq: through, ageMs: 0 }))],
    },
  };
}
