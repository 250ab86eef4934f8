import type { Clock, TimerHandle } from '@runwire/kernel';
import { CLIENT_LIMITS, type Cursor } from '@runwire/protocol/wire';
import type { TabChannel } from './contract.js';
import type { ToFollower, ToLeader } from './messages.js';
import type { StreamHistory } from './stream-history.js';
import type { Upstream } from './upstream.js';

/** The tabs that share this tab's connection. */
export interface Followers {
  has(link: string): boolean;
  /** Takes a tab that has everything up to `seq`, once it was told `frame`. */
  add(link: string, frame: string, seq: number): void;
  remove(link: string): void;
  /** For all of them, in order. */
  broadcast(texts: readonly string[]): void;
  /** False if none of them asked. */
  answer(ref: string, text: string): boolean;
  /** What is at or below `floorSeq` is gone: who has not applied it yet connects by itself. */
  trimmed(floorSeq: number): void;
  close(code: number, reason: string): void;
}

/** What followers need of their tab. */
export interface FollowersDeps {
  readonly clock: Clock;
  /** Names this leader. */
  readonly leader: string;
  readonly openLink: (link: string) => TabChannel;
  readonly upstream: () => Upstream | undefined;
  readonly history: () => StreamHistory | undefined;
}

interface Follower {
  readonly link: string;
  readonly channel: TabChannel;
  ackedSeq: number;
  pingedAtMs: number;
}

/** What a follower sends, as far as it matters here. */
interface Outgoing {
  readonly type: string;
  readonly id?: string;
  readonly epoch?: string;
  readonly seq?: number;
  readonly eventId?: string;
}

/** Answers that are waited for; beyond, the oldest goes to nobody, and its tab asks again. */
const MAX_ASKED = 1_000;
const ABNORMAL = 1006;
const SLOW_CONSUMER = 4508;

/** Creates the followers of one tab, none yet. */
export function createFollowers(deps: FollowersDeps): Followers {
  return new TabFollowers(deps);
}

class TabFollowers implements Followers {
  readonly #deps: FollowersDeps;
  readonly #followers = new Map<string, Follower>();
  readonly #asked = new Map<string, Follower>();
  #ack: { readonly timer: TimerHandle; seq: number } | undefined;

  constructor(deps: FollowersDeps) {
    this.#deps = deps;
  }

  has(link: string): boolean {
    return this.#followers.has(link);
  }

  add(link: string, frame: string, seq: number): void {
    const channel = this.#deps.openLink(link);
    const follower: Follower = { link, channel, ackedSeq: seq, pingedAtMs: Number.NEGATIVE_INFINITY };
    this.#followers.set(link, follower);
    channel.addEventListener('message', ({ data }) => this.#heard(follower, data as ToLeader));
    this.#frame(follower, frame);
  }

  remove(link: string): void {
    this.#followers.get(link)?.channel.close();
    this.#followers.delete(link);
  }

  broadcast(texts: readonly string[]): void {
    if (texts.length === 0) return;
    for (const follower of this.#followers.values()) this.#frame(follower, `[${texts.join(',')}]`);
  }

  answer(ref: string, text: string): boolean {
    const follower = this.#asked.get(ref);
    if (follower === undefined) return false;
    this.#asked.delete(ref);
    this.#frame(follower, text);
    return true;
  }

  trimmed(floorSeq: number): void {
    for (const follower of this.#followers.values()) {
      if (follower.ackedSeq < floorSeq) this.#close(follower, SLOW_CONSUMER, 'far behind');
    }
  }

  close(code: number, reason: string): void {
    for (const follower of this.#followers.values()) this.#close(follower, code, reason);
    this.#asked.clear();
    this.#ack?.timer.cancel();
    this.#ack = undefined;
  }

  #close(follower: Follower, code: number, reason: string): void {
    this.#tell(follower, { kind: 'closed', code, reason });
    this.remove(follower.link);
  }

  #frame(follower: Follower, data: string): void {
    this.#tell(follower, { kind: 'frame', leader: this.#deps.leader, data });
  }

  #tell({ channel }: Follower, message: ToFollower): void {
    channel.postMessage(message);
  }

  #heard(follower: Follower, message: ToLeader): void {
    if (!this.#followers.has(follower.link)) return;
    if (message.kind === 'send') {
      this.#sent(follower, message.data);
      return;
    }
    this.remove(follower.link);
    const upstream = this.#deps.upstream();
    // It asked, and the server answered nobody since.
    if (message.dead && upstream !== undefined && upstream.heardAtMs <= follower.pingedAtMs) upstream.fail();
  }

  #sent(follower: Follower, data: string): void {
    const upstream = this.#deps.upstream();
    const message = JSON.parse(data) as Outgoing;
    const { type, id, seq = 0 } = message;
    if (type === 'resync') {
      this.#resync(follower, message);
    } else if (type === 'ack') {
      follower.ackedSeq = Math.max(follower.ackedSeq, seq);
      this.#ackSoon(seq);
    } else {
      if (type === 'ping') follower.pingedAtMs = this.#deps.clock.monotonicMs();
      if (id !== undefined) this.#remember(id, follower);
      upstream?.send(data);
    }
  }

  #remember(ref: string, follower: Follower): void {
    const [oldest] = this.#asked.keys();
    if (this.#asked.size >= MAX_ASKED && oldest !== undefined) this.#asked.delete(oldest);
    this.#asked.set(ref, follower);
  }

  /** A gap of a follower is closed from here: the server's cursor is everybody's. */
  #resync(follower: Follower, { id: ref, epoch = '', seq = 0, eventId }: Outgoing): void {
    const history = this.#deps.history();
    const cursor: Cursor = eventId === undefined ? { epoch, seq } : { epoch, seq, id: eventId };
    const missing = history?.after(cursor);
    if (history === undefined || missing === undefined) {
      this.#close(follower, ABNORMAL, 'cannot be brought up to date');
      return;
    }
    const caughtUp = JSON.stringify({ type: 'caught_up', seq: history.last.seq, ref });
    this.#frame(follower, `[${[...missing, caughtUp].join(',')}]`);
  }

  /** What this tab's own client applied is acked at once; another's is news only where that one is slower. */
  #ackSoon(seq: number): void {
    if (this.#ack !== undefined) {
      this.#ack.seq = Math.max(this.#ack.seq, seq);
      return;
    }
    const timer = this.#deps.clock.setTimer(CLIENT_LIMITS.ackDelayMs, () => {
      const due = this.#ack;
      this.#ack = undefined;
      if (due !== undefined) this.#deps.upstream()?.ack(due.seq);
    });
    this.#ack = { timer, seq };
  }
}
