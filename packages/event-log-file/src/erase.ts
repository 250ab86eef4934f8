import { EventLogError } from '@runwire/event-log';
import type { ThreadId } from '@runwire/id-generation';
import type { Clock } from '@runwire/kernel';
import type { DiskMeter } from './disk-meter.js';
import type { Segments } from './segments.js';
import { RESTATEMENT, type StateChange } from './state-item.js';
import type { StreamState } from './state-record.js';
import type { StreamReader } from './stream-reader.js';
import type { Syncer } from './syncer.js';
import { ThreadSearch } from './thread-search.js';
import type { UserLog } from './user-log.js';

/** What erasing needs of the log. */
export interface EraseDeps {
  readonly clock: Clock;
  readonly reader: StreamReader;
  readonly segments: Segments;
  readonly syncer: Syncer;
  readonly meter: DiskMeter;
  readonly change: (user: UserLog, change: StateChange) => Promise<boolean>;
  /** Events of the user are to leave the disk: those in these segments, and what can be read no more. */
  readonly erased: (user: UserLog, segments: ReadonlySet<number>) => void;
  /** Whether an erasure settles only when no power loss can take it back. */
  readonly isForced: boolean;
}

/**
 * Erases a thread's events and ends its open runs. Settles to the number of events, when it is on the hardware:
 * whoever asked for it forgets that then, and nobody would ask again.
 *
 * @throws EventLogError `LOG_READ_FAILED`, `LOG_WRITE_FAILED`: it may hold for readers, and is to be repeated
 */
export async function eraseThread(
  user: UserLog,
  threadId: ThreadId,
  deps: EraseDeps & { readonly requireOpen: () => void },
): Promise<number> {
  const { clock, reader, change, syncer, requireOpen } = deps;
  const { failures } = syncer;
  const search = new ThreadSearch(user, threadId, reader);
  while (search.advance()) {
    await new Promise<void>((resolve) => clock.nextTurn(resolve));
    requireOpen();
  }
  await change(user, erasure(threadId, search, deps));
  if (deps.isForced) await force(user, failures, deps);
  return search.events;
}

/** Makes the user's state record survive a power loss; none of the last syncs may have failed it. */
async function force(user: UserLog, failures: number, deps: EraseDeps): Promise<void> {
  const { segments, syncer, meter, change } = deps;
  if (user.state === undefined) return;
  // Syncing a segment again whose sync has failed would prove nothing.
  if (segments.get(user.state.segment)?.isDoubtful === true) await change(user, RESTATEMENT);
  await syncer.sync();
  if (syncer.failures === failures) return;
  const code = meter.failing ?? 'UNKNOWN';
  throw new EventLogError('LOG_WRITE_FAILED', `The disk did not sync the erasure (${code}).`, {
    details: { code },
  });
}

/** The change of the stream, up to its head at that time. */
function erasure(threadId: ThreadId, search: ThreadSearch, { clock, erased }: EraseDeps): StateChange {
  let through = 0;
  return {
    next(state, user) {
      // What was appended since is looked at with the change.
      search.finish();
      through = user.head;
      const isOver = state.ledger.open.every((run) => run.threadId !== threadId);
      // Of the thread may also be what can no longer be read, and is on the disk still.
      if (search.segments.size === 0 && user.oldestDropped === 0 && isOver) return undefined;
      const others = state.erasures.filter((earlier) => earlier.threadId !== threadId);
      return { ...withoutRuns(state, threadId, through), erasures: [...others, { threadId, through }] };
    },
    apply(user) {
      user.ledger.endRunsOf(threadId, { lastSeq: through, nowMs: clock.monotonicMs() });
      user.erase(threadId, through);
      erased(user, search.segments);
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
