import type { IdGenerator, ThreadId, UserId } from '@runwire/id-generation';
import type { Clock, Logger, TimerHandle } from '@runwire/kernel';
import { type Cursor, createEventEncoder, type EventDraft, type StreamInfo } from '@runwire/protocol';
import { checkCursor } from './check-cursor.js';
import type {
  AppendResult,
  EncodedBatch,
  EncodedEvent,
  EventLog,
  EventLogObserver,
  OpenRun,
  Producer,
  ReadRequest,
  ReadResult,
  Unsubscribe,
} from './contract.js';
import { encodeDraft } from './encoded-event.js';
import { EventLogError } from './errors.js';
import { type MemoryEventLogOptions, type ResolvedMemoryEventLogOptions, resolveOptions } from './options.js';
import { UserStream } from './user-stream.js';
import { createWakeHub, type WakeHub } from './wake-hub.js';

/** What the in-memory log is made of. */
export interface MemoryEventLogDeps {
  readonly clock: Clock;
  readonly ids: Pick<IdGenerator, 'eventId'>;
  readonly logger: Logger;
  readonly observer?: EventLogObserver;
}

/**
 * Creates a log that lives as long as the process: for tests, development, and users who need no more. An
 * append takes effect and settles within the call, so nothing of it can be lost while the process lives.
 *
 * @throws EventLogError `LOG_INVALID_OPTION`
 */
export function createMemoryEventLog(deps: MemoryEventLogDeps, options?: MemoryEventLogOptions): EventLog {
  return new MemoryEventLog(deps, resolveOptions(options));
}

/** How often memory is given back at most; what is too old to be served is refused at once all the same. */
const TIDY_INTERVAL_MS = 60 * 60 * 1_000;

class MemoryEventLog implements EventLog {
  readonly #deps: MemoryEventLogDeps;
  readonly #options: ResolvedMemoryEventLogOptions;
  readonly #epoch: string;
  readonly #hub: WakeHub;
  readonly #encoder = createEventEncoder();
  readonly #streams = new Map<UserId, UserStream>();
  /** Stands for every user who never appended anything; nothing is ever put into it. */
  readonly #unused = new UserStream();
  /** The `at` of the last event of any user: time does not go back when the wall clock does. */
  #lastAt = 0;
  #tidying: TimerHandle | undefined;
  #closing: Promise<void> | undefined;

  constructor(deps: MemoryEventLogDeps, options: ResolvedMemoryEventLogOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#epoch = deps.ids.eventId();
    this.#hub = createWakeHub({
      logger: deps.logger,
      source: {
        epoch: this.#epoch,
        positionOf: (userId) => this.#streamOf(userId),
      },
    });
  }

  async append(
    userId: UserId,
    drafts: readonly EventDraft[],
    options: { readonly producer?: Producer } = {},
  ): Promise<AppendResult> {
    this.#requireOpen();
    const { producer } = options;
    if (drafts.length === 0) throw emptyAppend();
    const stream = this.#streams.get(userId) ?? new UserStream();
    const repeated = stream.openLedger().admit(drafts, producer);
    if (repeated !== undefined) return repeated;
    const at = Math.max(this.#lastAt, this.#deps.clock.nowMs());
    const events = this.#encode(drafts, stream.head, at);

    // Nothing fails from here on.
    this.#lastAt = at;
    stream.push(events, at);
    const result = resultOf(this.#epoch, events);
    stream.openLedger().record({ drafts, producer, result }, this.#deps.clock.monotonicMs());
    stream.retain(this.#options.retention, at);
    this.#streams.set(userId, stream);
    this.#tidyLater();
    this.#hub.announce(userId, { ...result, events });
    this.#deps.observer?.appended?.(result);
    return result;
  }

  async read(userId: UserId, request: ReadRequest): Promise<ReadResult> {
    this.#requireOpen();
    const stream = this.#current(userId);
    const { after } = request;
    const info = this.#infoOf(stream);
    const reason = checkCursor(info, after, (seq) => stream.idAt(seq));
    if (reason !== undefined) return { kind: 'reset', reason, stream: info };
    const events = stream.page(after.seq, request);
    const at = this.#cursorAt(stream, events.at(-1)?.seq ?? after.seq);
    return { kind: 'page', events, at, head: info.head };
  }

  async stream(userId: UserId): Promise<StreamInfo> {
    this.#requireOpen();
    return this.#infoOf(this.#current(userId));
  }

  subscribe(userId: UserId, onWake: (batch?: EncodedBatch) => void): Unsubscribe {
    if (this.#closing !== undefined) return () => undefined;
    return this.#hub.subscribe(userId, onWake);
  }

  async openRuns(userId?: UserId): Promise<readonly OpenRun[]> {
    this.#requireOpen();
    const users = userId === undefined ? this.#streams.keys() : [userId];
    return Array.from(users).flatMap((user) => this.#openRunsOf(user));
  }

  #openRunsOf(userId: UserId): readonly OpenRun[] {
    const stream = this.#streamOf(userId);
    return [...(stream.ledger?.openRuns ?? [])].map(({ startedSeq, ...run }) => ({
      userId,
      ...run,
      firstSeq: stream.firstSeqOf(run.runId, startedSeq),
    }));
  }

  async erase(userId: UserId, what: { readonly threadId: ThreadId }): Promise<number> {
    this.#requireOpen();
    this.#hub.changed(userId);
    return this.#current(userId).erase(what.threadId, this.#deps.clock.monotonicMs());
  }

  async trim(userId: UserId, range: { readonly before: number }): Promise<void> {
    this.#requireOpen();
    this.#streamOf(userId).trim(range.before);
  }

  close(): Promise<void> {
    this.#closing ??= this.#release();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #release(): Promise<void> {
    await this.#hub.drained();
    this.#hub.close();
    this.#tidying?.cancel();
    this.#streams.clear();
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw new EventLogError('LOG_CLOSED', 'The event log is closed.');
  }

  #streamOf(userId: UserId): UserStream {
    return this.#streams.get(userId) ?? this.#unused;
  }

  /** The stream without what is too old by now. */
  #current(userId: UserId): UserStream {
    const stream = this.#streamOf(userId);
    stream.retain(this.#options.retention, this.#deps.clock.nowMs());
    return stream;
  }

  #encode(drafts: readonly EventDraft[], head: number, at: number): EncodedEvent[] {
    const options = { encoder: this.#encoder, maxBytes: this.#options.maxEventBytes };
    return drafts.map((draft, index) => {
      const stamp = { seq: head + 1 + index, id: this.#deps.ids.eventId(), at };
      return encodeDraft(draft, stamp, options);
    });
  }

  #infoOf(stream: UserStream): StreamInfo {
    return { epoch: this.#epoch, first: stream.first, head: stream.head, headId: stream.headId ?? null };
  }

  #cursorAt(stream: UserStream, seq: number): Cursor {
    const id = stream.idAt(seq);
    return id === undefined ? { epoch: this.#epoch, seq } : { epoch: this.#epoch, seq, id };
  }

  /** One timer while there is something to forget, none otherwise. */
  #tidyLater(): void {
    const intervalMs = Math.min(TIDY_INTERVAL_MS, this.#options.retention.maxAgeMs);
    this.#tidying ??= this.#deps.clock.setTimer(intervalMs, () => this.#tidy());
  }

  #tidy(): void {
    this.#tidying = undefined;
    const nowMs = this.#deps.clock.nowMs();
    const monotonicMs = this.#deps.clock.monotonicMs();
    let dormant = true;
    for (const stream of this.#streams.values()) {
      stream.retain(this.#options.retention, nowMs);
      stream.tidy(monotonicMs);
      dormant &&= stream.isDormant;
    }
    if (!dormant) this.#tidyLater();
  }
}

function resultOf(epoch: string, events: readonly EncodedEvent[]): AppendResult {
  const first = events[0];
  const last = events.at(-1);
  if (first === undefined || last === undefined) throw emptyAppend();
  return { epoch, firstSeq: first.seq, lastSeq: last.seq, lastId: last.id, duplicate: false };
}

function emptyAppend(): EventLogError {
  return new EventLogError('EMPTY_APPEND', 'An append has at least one draft.');
}
