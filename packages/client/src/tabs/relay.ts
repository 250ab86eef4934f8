import type { Clock } from '@runwire/kernel';
import {
  type ControlMessage,
  type ControlMessageOf,
  type Cursor,
  isLogEvent,
  parseServerFrame,
  type RunwireEvent,
  type ServerMessage,
} from '@runwire/protocol/wire';
import type { TabChannel } from './contract.js';
import { createFollowers, type Followers } from './followers.js';
import type { LobbyMessage, ToFollower } from './messages.js';
import { createStreamHistory, type StreamHistory } from './stream-history.js';
import type { Upstream } from './upstream.js';

/** A tab that wants to follow. */
export type Join = LobbyMessage & { readonly kind: 'join' };

/**
 * What a tab keeps of its connection for others, and passes on to those that follow it: events, heartbeats and
 * pongs to all, an answer to who asked. The rest is the tab's own.
 */
export interface Relay {
  /** Where the connection stands; undefined unless it may be followed. */
  readonly position: Cursor | undefined;
  /** True if what comes behind `cursor` could be passed on from here. */
  knows(cursor: Cursor): boolean;
  /** A frame came. What of it the tab's own client gets; undefined if nothing. */
  received(upstream: Upstream, data: string): string | undefined;
  ended(upstream: Upstream, code: number, reason: string): void;
  /** Another tab wants to follow; it is taken once there is a connection. */
  join(request: Join): void;
  /** It does not want to any more. */
  leave(link: string): void;
  /** This tab leads no more. */
  dismiss(): void;
}

/** What a relay needs of its tab. */
export interface RelayDeps {
  readonly clock: Clock;
  readonly userId: string;
  /** Names this leader. */
  readonly leader: string;
  readonly maxHistoryChars: number;
  readonly openLink: (link: string) => TabChannel;
  /** The connection may be followed, and stands where `position` says. */
  readonly moved: () => void;
}

/** Creates the relay of one tab. */
export function createRelay(deps: RelayDeps): Relay {
  return new TabRelay(deps);
}

/** Ends of a connection that say when to come back. The others are the leader's own: its token, its fault. */
const TOLD_CODES = [1001, 1012, 4429, 4503];
const ABNORMAL = 1006;

class TabRelay implements Relay {
  readonly #deps: RelayDeps;
  readonly #followers: Followers;
  readonly #waiting = new Map<string, Join>();
  #history: StreamHistory | undefined;
  /** The connection that is shared: the newest that has caught up. */
  #upstream: Upstream | undefined;

  constructor(deps: RelayDeps) {
    this.#deps = deps;
    this.#followers = createFollowers({
      ...deps,
      upstream: () => this.#upstream,
      history: () => this.#history,
    });
  }

  get position(): Cursor | undefined {
    return this.#isOurs ? this.#history?.last : undefined;
  }

  /** The server says that the connection is of the user whom the page says. */
  get #isOurs(): boolean {
    return this.#upstream?.greeting()?.userId === this.#deps.userId;
  }

  knows(cursor: Cursor): boolean {
    return this.#history?.after(cursor) !== undefined;
  }

  received(upstream: Upstream, data: string): string | undefined {
    upstream.heard();
    const messages = parseServerFrame(data);
    // The tab's own client says what is wrong with it.
    if (messages === undefined) return data;
    const shared: string[] = [];
    const own = messages.filter((message) => this.#take(upstream, message, shared));
    this.#followers.broadcast(shared);
    this.#followers.trimmed(this.#history?.floorSeq ?? 0);
    if (own.length === messages.length) return data;
    return own.length === 0 ? undefined : JSON.stringify(own);
  }

  ended(upstream: Upstream, code: number, reason: string): void {
    if (upstream !== this.#upstream) return;
    this.#upstream = undefined;
    if (TOLD_CODES.includes(code)) this.#followers.close(code, reason);
    else this.#followers.close(ABNORMAL, 'the connection of the leader ended');
  }

  join(request: Join): void {
    const { link, cursor } = request;
    if (this.#followers.has(link)) return;
    if (this.#upstream === undefined) {
      this.#waiting.set(link, request);
      this.#tell(link, { kind: 'wait' });
      return;
    }
    const from = cursor ?? this.position;
    const frame = from === undefined || !this.#isOurs ? undefined : this.#greetingFor(from);
    if (from === undefined || frame === undefined) this.#tell(link, { kind: 'refused' });
    else this.#followers.add(link, frame, from.seq);
  }

  leave(link: string): void {
    this.#waiting.delete(link);
    this.#followers.remove(link);
  }

  dismiss(): void {
    this.#followers.close(ABNORMAL, 'another tab leads');
    this.#waiting.clear();
  }

  /** What brings a tab at `cursor` up to date; undefined if it cannot be done from here. */
  #greetingFor(cursor: Cursor): string | undefined {
    const greeting = this.#upstream?.greeting();
    const history = this.#history;
    const missing = history === undefined || cursor === history.last ? [] : history.after(cursor);
    if (greeting === undefined || history === undefined || missing === undefined) return undefined;
    const { epoch, seq: head, id: headId = null } = history.last;
    const established = {
      ...greeting,
      stream: { ...greeting.stream, epoch, head, headId },
      resume: { mode: missing.length === 0 ? 'live' : 'replay', from: cursor.seq + 1 },
    };
    const caughtUp = { type: 'caught_up', seq: head };
    return `[${[JSON.stringify(established), ...missing, JSON.stringify(caughtUp)].join(',')}]`;
  }

  /** True if the message is for the tab's own client. `shared` gets what is for all others. */
  #take(upstream: Upstream, message: ServerMessage, shared: string[]): boolean {
    if (isLogEvent(message)) {
      this.#event(upstream, message, shared);
      return true;
    }
    return this.#control(upstream, message, shared);
  }

  #event(upstream: Upstream, event: RunwireEvent, shared: string[]): void {
    upstream.event(event.seq);
    const text = JSON.stringify(event);
    if (this.#history?.add(event, text) === true) shared.push(text);
  }

  #control(upstream: Upstream, message: ControlMessage, shared: string[]): boolean {
    const { type } = message;
    if (type === 'connection_established') {
      this.#established(upstream, message);
    } else if (type === 'caught_up') {
      if (message.ref === undefined) this.#caughtUp(upstream);
    } else if (type === 'reset') {
      upstream.restart(message.stream.head);
      this.#restart(startOf(message.stream, message.stream.head, undefined));
    } else if (type === 'heartbeat' && upstream === this.#upstream) {
      // What was sent from here is what the others have.
      shared.push(JSON.stringify({ ...message, sent: this.#history?.last.seq ?? 0 }));
      this.#deps.moved();
    } else if (type === 'pong' && upstream === this.#upstream) {
      shared.push(JSON.stringify(message));
    } else if ('ref' in message) {
      return !this.#followers.answer(message.ref ?? '', JSON.stringify(message));
    }
    return true;
  }

  #established(upstream: Upstream, message: ControlMessageOf<'connection_established'>): void {
    const { stream, resume } = message;
    const seq = resume.from - 1;
    upstream.establish(message);
    const last = this.#history?.last;
    if (resume.mode !== 'reset' && last?.epoch === stream.epoch && seq <= last.seq) return;
    this.#restart(startOf(stream, seq, upstream.cursor));
  }

  #caughtUp(upstream: Upstream): void {
    this.#upstream = upstream;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const request of waiting) this.join(request);
    this.#deps.moved();
  }

  #restart(start: Cursor): void {
    this.#history = createStreamHistory(start, this.#deps.maxHistoryChars);
    this.#followers.close(ABNORMAL, 'the stream starts over');
  }

  #tell(link: string, message: ToFollower): void {
    const channel = this.#deps.openLink(link);
    channel.postMessage(message);
    channel.close();
  }
}

/** The cursor at `seq`, with its id where that is known. */
function startOf(
  { epoch, head, headId }: { readonly epoch: string; readonly head: number; readonly headId: string | null },
  seq: number,
  resumed: Cursor | undefined,
): Cursor {
  const id = seq === head ? headId : resumed?.seq === seq ? resumed.id : undefined;
  return id === undefined || id === null ? { epoch, seq } : { epoch, seq, id };
}
