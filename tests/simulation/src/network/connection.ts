import type { UpgradeAnswer } from '@runwire/websocket-core';
import type { Socket } from '@runwire/websocket-core/testing';
import type { Prng } from '../prng.js';
import type { Actor, Scheduler } from '../scheduler.js';
import { type PathConditions, Pipe, type PipeDeps, type WireFrame } from './pipe.js';

/** One of the two ends. */
export type Side = 'client' | 'server';

/** What a connection is made of. */
export interface ConnectionDeps {
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly conditions: PathConditions;
  readonly kernel: Actor;
  /** The page's process. */
  readonly client: Actor;
  /** The page handles each frame in a task of its own. */
  readonly isOneByOne: boolean;
  /** Looks at what the server's end has just sent. */
  readonly serverSent: (connection: Connection, frames: readonly Uint8Array[]) => void;
}

/** What an end does to its connection. */
export interface EndWire {
  readonly bufferedBytes: number;
  /** Hands frames to the way to the other end. */
  write(frames: readonly WireFrame[]): void;
  /** Ends the way to the other end. */
  end(how: 'fin' | 'rst'): void;
  /** Does `run` in a later step of this end's process. */
  later(delayMs: number, what: string, run: () => void): void;
}

/** Who is told when a connection breaks: the others find out by themselves, or when they next send. */
export type BreakNews = 'both' | 'client' | 'server' | 'nobody';

/** The client's end of whatever goes over a connection. */
export interface ClientSide {
  readonly isClosed: boolean;
  /** Nothing has come yet, and nobody has given up. */
  readonly isWaiting: boolean;
  received(frame: WireFrame): void;
  /** The stream from the server has ended. */
  ended(how: 'fin' | 'rst'): void;
  /** The attempt came to nothing; with an answer when there was one. */
  refused(answer: UpgradeAnswer | undefined): void;
  /** The page is gone, and nobody is told; `goodbye`: it says so to the server. */
  vanish(goodbye: boolean): void;
}

/** The server's end. */
export interface ServerSide extends Socket {
  readonly isClosed: boolean;
  received(frame: WireFrame): void;
  /** The stream from the client has ended. */
  ended(how: 'fin' | 'rst'): void;
  /** Something that was kept back is with the kernel. */
  flushed(): void;
  /** The process is gone, and nobody is told. */
  vanish(): void;
}

/** Makes both ends of a connection. `sent` looks at what the server's end has sent. */
export type MakeEnds<C extends ClientSide> = (
  wires: Readonly<Record<Side, EndWire>>,
  sent: (frames: readonly Uint8Array[]) => void,
) => { readonly client: C; readonly server: ServerSide };

/** One simulated TCP connection. */
export class Connection<C extends ClientSide = ClientSide> {
  readonly id: number;
  readonly client: C;
  readonly server: ServerSide;
  readonly #deps: ConnectionDeps;
  #up: Pipe | undefined;
  #down: Pipe | undefined;
  #node: Actor | undefined;
  /** The way is lost for good. */
  #isBroken = false;
  /** Whether a machine that knows nothing of the connection says so when it is sent something. */
  #answersStrays = true;
  #news: BreakNews = 'both';
  #isServerGone = false;

  constructor(id: number, deps: ConnectionDeps, makeEnds: MakeEnds<C>) {
    this.id = id;
    this.#deps = deps;
    const wires = { client: this.#wireOf('client'), server: this.#wireOf('server') };
    const { client, server } = makeEnds(wires, (frames) => deps.serverSent(this, frames));
    this.client = client;
    this.server = server;
  }

  /** Neither end has anything of it any more. */
  get isOver(): boolean {
    return this.client.isClosed && (this.server.isClosed || this.#node === undefined);
  }

  get isAccepted(): boolean {
    return this.#node !== undefined;
  }

  /** The process that accepted it; undefined before. */
  get node(): Actor | undefined {
    return this.#node;
  }

  /** A process takes the connection: from here on bytes flow. */
  accept(node: Actor): void {
    this.#node = node;
    const { client } = this.#deps;
    this.#up = this.#pipe({ sender: client, receiver: node, isOneByOne: false }, 'server');
    this.#down = this.#pipe({ sender: node, receiver: client, isOneByOne: this.#deps.isOneByOne }, 'client');
  }

  /** Nobody took it; an answer says why. */
  refuse(answer?: UpgradeAnswer): void {
    const { client, conditions, scheduler } = this.#deps;
    this.#down?.lose();
    this.#node = undefined;
    this.#up = undefined;
    this.#down = undefined;
    scheduler.schedule(client, conditions.latencyMs, 'net refused', () => this.client.refused(answer));
  }

  /** The client reads, or does not. */
  setReading(isReading: boolean): void {
    this.#down?.setReading(isReading);
  }

  /** Holds up what is on the way, in both directions. */
  hold(): void {
    this.#up?.hold();
    this.#down?.hold();
  }

  letGo(): void {
    this.#up?.letGo();
    this.#down?.letGo();
  }

  /** The connection is cut now. Whoever is not told finds out by itself, or by the answer to what it sends. */
  cut(news: BreakNews, answersStrays: boolean): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#news = news;
    this.#answersStrays = answersStrays;
    this.#up?.lose();
    this.#down?.lose();
    for (const side of ['client', 'server'] as const) if (news === 'both' || news === side) this.#tell(side);
  }

  /** The same, once so many bytes more have gone `to` that side. */
  cutAfter(to: Side, bytes: number, news: BreakNews): void {
    this.#news = news;
    (to === 'client' ? this.#down : this.#up)?.cutAfter(bytes);
  }

  /**
   * The network is whole again: what was held up arrives. A connection that some machine in between has forgotten is
   * forgotten all the same; a server's own machine, once it is back, says that it knows of none.
   */
  heal(): void {
    this.letGo();
    this.#up?.spare();
    this.#down?.spare();
    if (this.#isServerGone) this.#answersStrays = true;
  }

  /** The server's process is gone. `silent`: with its machine, so that nobody says so. */
  nodeDied(how: 'fin' | 'rst' | 'silent'): void {
    this.server.vanish();
    this.#isServerGone = true;
    if (how === 'silent') this.cut('nobody', false);
    else this.#down?.end(how);
  }

  /** The page is gone. `goodbye`: it closed its sockets on the way out. */
  pageDied(how: 'goodbye' | 'fin' | 'rst' | 'silent'): void {
    this.client.vanish(how === 'goodbye');
    if (how === 'silent') this.cut('nobody', true);
    this.#up?.end(how === 'rst' ? 'rst' : 'fin');
  }

  #pipe(ends: Pick<PipeDeps, 'sender' | 'receiver' | 'isOneByOne'>, to: Side): Pipe {
    const { scheduler, prng, conditions, kernel } = this.#deps;
    const end = to === 'client' ? this.client : this.server;
    return new Pipe(
      { scheduler, prng, conditions, kernel, ...ends },
      {
        received: (frame) => end.received(frame),
        ended: (how) => end.ended(how),
        flushed: () => {
          if (to === 'client') this.server.flushed();
        },
        cut: () => this.cut(this.#news, this.#answersStrays),
      },
    );
  }

  #wireOf(side: Side): EndWire {
    const pipe = (): Pipe | undefined => (side === 'client' ? this.#up : this.#down);
    const actor = (): Actor | undefined => (side === 'client' ? this.#deps.client : this.#node);
    return {
      get bufferedBytes() {
        return pipe()?.bufferedBytes ?? 0;
      },
      write: (frames: readonly WireFrame[]) => {
        pipe()?.write(frames);
        if (this.#isBroken && this.#answersStrays) this.#tell(side);
      },
      end: (how) => pipe()?.end(how),
      later: (delayMs, what, run) => {
        const owner = actor();
        if (owner !== undefined) this.#deps.scheduler.schedule(owner, delayMs, what, run);
      },
    };
  }

  /** A reset comes, to a side that may not have known. */
  #tell(side: Side): void {
    const { scheduler, client, conditions } = this.#deps;
    const owner = side === 'client' ? client : this.#node;
    if (owner === undefined) return;
    scheduler.schedule(owner, conditions.latencyMs, 'net reset', () => this[side].ended('rst'));
  }
}
