import type { AppendResult, EventLog } from '@runwire/event-log';
import type { UserId } from '@runwire/id-generation';
import {
  type Cursor,
  type EventDraft,
  type EventType,
  type RunwireEvent,
  TERMINAL_EVENT_TYPE,
} from '@runwire/protocol';
import type { Verdicts } from './verdicts.js';

/** What the log has acknowledged at one position. */
export interface LoggedEvent {
  readonly type: EventType;
  readonly runId?: string | undefined;
  readonly threadId?: string | undefined;
  /** What happens once: no other event of the log has the same. */
  readonly once: string | undefined;
}

interface Stream {
  epoch: string;
  readonly events: Map<number, LoggedEvent>;
  /** What a power loss has taken; connections may have been sent it before. */
  readonly lost: Map<number, LoggedEvent[]>;
}

/**
 * Everything whose append was acknowledged to a process, by user and position: what nobody may contradict, and what
 * everybody must be delivered or told that they will not.
 */
export class Ledger {
  readonly #verdicts: Verdicts;
  readonly #streams = new Map<UserId, Stream>();
  readonly #owners = new Map<string, UserId>();
  readonly #terminals = new Map<string, number>();
  readonly #starts = new Map<string, number>();
  readonly #once = new Set<string>();
  #hasLost = false;

  constructor(verdicts: Verdicts) {
    this.#verdicts = verdicts;
  }

  /** Terminal events that a run has in the log. */
  terminalsOf(runId: string): number {
    return this.#terminals.get(runId) ?? 0;
  }

  /** Whether anything that was acknowledged has been lost, for whatever reason. */
  get hasLost(): boolean {
    return this.#hasLost;
  }

  /** Where a run begins in the log; undefined when it does not. */
  startOf(runId: string): number | undefined {
    return this.#starts.get(runId);
  }

  /** The user whom a thread or run belongs to. */
  ownerOf(id: string): UserId | undefined {
    return this.#owners.get(id);
  }

  /** Takes note of an append that has settled. */
  acknowledged(userId: UserId, drafts: readonly EventDraft[], result: AppendResult): void {
    if (result.duplicate) return;
    const stream = this.#streamOf(userId, result.epoch);
    drafts.forEach((draft, index) => {
      const seq = result.firstSeq + index;
      if (stream.events.has(seq)) {
        this.#verdicts.violated('position', `two appends were acknowledged at ${userId} ${seq}`);
      }
      this.#enter(userId, stream, seq, loggedEvent(draft));
    });
  }

  /**
   * A log was opened by a new process. What it does not have any more is lost: `mayLose` says that there is a reason.
   * What it has beyond that was written by a process that died before it was told so.
   */
  async opened(log: EventLog, userId: UserId, mayLose: boolean): Promise<void> {
    const { epoch, first, head } = await log.stream(userId);
    const before = this.#streams.get(userId);
    if (before !== undefined) {
      // A log that was damaged in its middle begins behind that.
      const from = mayLose ? first : 0;
      const lost = [...before.events].filter(([seq]) => before.epoch !== epoch || seq > head || seq < from);
      const [example] = lost;
      if (example !== undefined && !mayLose) {
        this.#verdicts.violated('lost append', `${userId} ${example[0]} was acknowledged and is gone`);
      }
      for (const [seq, event] of lost) this.#lose(before, seq, event);
    }
    const stream = this.#streamOf(userId, epoch);
    for await (const event of eventsFrom(log, userId, { epoch, from: first, until: head })) {
      if (!stream.events.has(event.seq)) this.#enter(userId, stream, event.seq, loggedEvent(event));
    }
  }

  /** Whether an event that was delivered is one that the log had acknowledged. */
  has(userId: UserId, epoch: string, event: RunwireEvent): boolean {
    const stream = this.#streams.get(userId);
    // A connection of before the log was lost may still deliver what that had.
    if (stream === undefined || stream.epoch !== epoch) return true;
    const present = stream.events.get(event.seq);
    const candidates = [...(present === undefined ? [] : [present]), ...(stream.lost.get(event.seq) ?? [])];
    return candidates.some(
      ({ type, runId }) => event.type === 'erased' || (type === event.type && runId === event.runId),
    );
  }

  #enter(userId: UserId, stream: Stream, seq: number, event: LoggedEvent): void {
    const { type, threadId, runId, once } = event;
    stream.events.set(seq, event);
    if (once !== undefined) {
      if (this.#once.has(once))
        this.#verdicts.violated('twice', `the log has ${once} twice, at ${seq} again`);
      this.#once.add(once);
    }
    for (const id of [threadId, runId]) if (id !== undefined) this.#own(userId, id);
    if (runId === undefined) return;
    if (type === 'agent_started' && !this.#starts.has(runId)) this.#starts.set(runId, seq);
    if (type !== TERMINAL_EVENT_TYPE) return;
    const terminals = this.terminalsOf(runId) + 1;
    this.#terminals.set(runId, terminals);
    if (terminals > 1) this.#verdicts.violated('terminal', `${runId} has ${terminals} terminal events`);
  }

  #own(userId: UserId, id: string): void {
    const owner = this.#owners.get(id);
    if (owner !== undefined && owner !== userId)
      this.#verdicts.violated('owner', `${id} is in two users' logs`);
    this.#owners.set(id, userId);
  }

  #lose(stream: Stream, seq: number, event: LoggedEvent): void {
    this.#hasLost = true;
    if (event.once !== undefined) this.#once.delete(event.once);
    stream.events.delete(seq);
    stream.lost.set(seq, [...(stream.lost.get(seq) ?? []), event]);
    const { type, runId } = event;
    if (runId === undefined) return;
    if (type === TERMINAL_EVENT_TYPE) this.#terminals.set(runId, this.terminalsOf(runId) - 1);
    if (this.#starts.get(runId) === seq) this.#starts.delete(runId);
  }

  #streamOf(userId: UserId, epoch: string): Stream {
    const known = this.#streams.get(userId);
    if (known?.epoch === epoch) return known;
    const stream: Stream = { epoch, events: new Map(), lost: new Map() };
    this.#streams.set(userId, stream);
    return stream;
  }
}

function loggedEvent(event: EventDraft | RunwireEvent): LoggedEvent {
  const { type, threadId, runId } = event;
  return { type, threadId, runId, once: onceOf(event) };
}

/** What an event says that can be said once. */
function onceOf(event: EventDraft | RunwireEvent): string | undefined {
  const { type } = event;
  if (type === 'message_added' || type === 'agent_started') return `${type} ${event.data.messageId}`;
  if (type === 'tool_executing' || type === 'tool_completed') return `${type} ${event.data.toolCallId}`;
  if (type === 'thread_created' || type === 'thread_deleted') return `${type} ${event.threadId}`;
  return undefined;
}

/** The events of a user in a log, one by one. */
export async function* eventsFrom(
  log: EventLog,
  userId: UserId,
  range: { readonly epoch: string; readonly from: number; readonly until: number },
): AsyncGenerator<RunwireEvent> {
  let after: Cursor = { epoch: range.epoch, seq: range.from - 1 };
  while (after.seq < range.until) {
    const page = await log.read(userId, { after, limitEvents: 500, limitBytes: 1_000_000 });
    if (page.kind === 'reset' || page.events.length === 0) return;
    for (const { json } of page.events) yield JSON.parse(json) as RunwireEvent;
    after = page.at;
  }
}
