import type { DeliveryAck, DeliveryObserver } from '@runwire/bridge-factory';
import type { AppendResult, EventLog, EventLogObserver } from '@runwire/event-log';
import type { UserId } from '@runwire/id-generation';
import type { Clock } from '@runwire/kernel';
import { type EventDraft, TERMINAL_EVENT_TYPE } from '@runwire/protocol';

/** Upper bounds of the classes in which waits for acknowledgements are counted, in milliseconds. */
const BOUNDS_MS = [
  5,
  10,
  25,
  50,
  100,
  250,
  500,
  1_000,
  2_500,
  5_000,
  10_000,
  30_000,
  Number.POSITIVE_INFINITY,
];

/** How many ended runs are remembered. */
const MAX_ENDED_RUNS = 1_000;

interface EndedRun {
  readonly userId: UserId;
  readonly lastSeq: number;
  readonly atMs: number;
}

/**
 * Measures delivery at the same places, and with the same steps per event and per acknowledgement, as the meter of
 * the reference server.
 */
export class DeliveryMeter implements DeliveryObserver, EventLogObserver {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #waits = new Float64Array(BOUNDS_MS.length);
  /** In the order of their ends. */
  readonly #endedRuns = new Map<string, EndedRun>();
  #positions = 0;
  #eventsAppended = 0;

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  get eventsAppended(): number {
    return this.#eventsAppended;
  }

  /** Beginnings and ends of runs that were seen. */
  get positions(): number {
    return this.#positions;
  }

  appended({ firstSeq, lastSeq }: AppendResult): void {
    this.#eventsAppended += lastSeq - firstSeq + 1;
  }

  /** The log as everybody uses it: the appends with which runs end are looked at, all others are only counted. */
  observe(log: EventLog): EventLog {
    return {
      append: (userId, drafts, options) => {
        const appending = log.append(userId, drafts, options);
        return drafts.some(isBorder) ? this.#noteBorder(appending, userId, drafts) : appending;
      },
      read: (userId, request) => log.read(userId, request),
      stream: (userId) => log.stream(userId),
      subscribe: (userId, onWake) => log.subscribe(userId, onWake),
      openRuns: (userId) => log.openRuns(userId),
      erase: (userId, what) => log.erase(userId, what),
      trim: (userId, range) => log.trim(userId, range),
      close: () => log.close(),
      [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
    };
  }

  acked({ waitedMs }: DeliveryAck): void {
    if (waitedMs === undefined) return;
    const index = BOUNDS_MS.findIndex((bound) => waitedMs <= bound);
    this.#waits[index] = (this.#waits[index] ?? 0) + 1;
  }

  async #noteBorder(
    appending: Promise<AppendResult>,
    userId: UserId,
    drafts: readonly EventDraft[],
  ): Promise<AppendResult> {
    const result = await appending;
    drafts.forEach((draft, index) => {
      if (!isBorder(draft)) return;
      this.#positions += 1;
      if (draft.type !== TERMINAL_EVENT_TYPE || draft.runId === undefined) return;
      const atMs = this.#clock.nowMs();
      this.#endedRuns.set(draft.runId, { userId, lastSeq: result.firstSeq + index, atMs });
      const [first] = this.#endedRuns.keys();
      if (this.#endedRuns.size > MAX_ENDED_RUNS && first !== undefined) this.#endedRuns.delete(first);
    });
    return result;
  }
}

/** Whether a run begins or ends with it. */
function isBorder({ type, runId }: EventDraft): boolean {
  return runId !== undefined && (type === 'message_added' || type === TERMINAL_EVENT_TYPE);
}
