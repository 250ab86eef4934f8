import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { FaultFlow, type FlowNetwork, type NetworkShape } from './fault-flow.js';

/** One way through the proxy, or both. */
export type Direction = 'toClient' | 'toServer' | 'both';

/** A TCP proxy between clients and a server, that a test turns into a bad network. It holds ≤ 64 KiB a direction. */
export interface FaultProxy extends AsyncDisposable {
  /** The address of the clients, whatever server is behind it. */
  readonly url: string;
  /** Open connections of clients. */
  readonly connections: number;
  /** From now on the network is like this, also for connections that are there. */
  shape(shape: NetworkShape): void;
  /**
   * Resets every connection there is. `client`: the server is not told, and finds out by itself; `server`: the
   * client is not told.
   */
  cut(side?: 'both' | 'client' | 'server'): void;
  /** Each connection there is gets reset once it has carried this many more bytes to its client. */
  cutAfter(bytes: number): void;
  /** Cuts, and refuses new connections until `restore`. */
  takeDown(): void;
  /** Passes nothing on and closes nothing until `restore`; then what was held goes on. */
  stall(direction?: Direction): void;
  /** The connections there are become black holes for ever: no byte and no end of one side reaches the other. */
  swallow(): void;
  /** Ends `takeDown`, `stall` and every shape. */
  restore(): void;
  /** From now on resets each connection that asks to become a WebSocket, as some companies' networks do. */
  blockWebSockets(): void;
  /** New connections go to this server. */
  retarget(serverUrl: string): void;
}

/** Starts a proxy in front of a server. */
export async function startFaultProxy(serverUrl: string, shape: NetworkShape = {}): Promise<FaultProxy> {
  const network = new Network(serverUrl, shape);
  // Half-open connections are half-open on both sides.
  const server = createServer({ allowHalfOpen: true }, (incoming) => network.accept(incoming));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return network.asProxy(server);
}

const UPGRADE = /^upgrade: websocket\r$/im;

/** What every connection shares. */
class Network {
  #target: URL;
  #shape: NetworkShape;
  #isDown = false;
  #blocksWebSockets = false;
  #stalled: Direction | undefined;
  #changed = createGate();
  readonly #links = new Set<Link>();

  constructor(serverUrl: string, shape: NetworkShape) {
    this.#target = new URL(serverUrl);
    this.#shape = shape;
  }

  get shape(): NetworkShape {
    return this.#shape;
  }

  accept(incoming: Socket): void {
    if (this.#isDown) {
      incoming.on('error', () => undefined);
      incoming.resetAndDestroy();
      return;
    }
    const { port, hostname } = this.#target;
    const outgoing = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    const link = new Link(this, incoming, outgoing);
    this.#links.add(link);
    link.whenGone(() => this.#links.delete(link));
  }

  /** Whether a request that begins like this is let through. */
  refuses(bytes: Buffer): boolean {
    return this.#blocksWebSockets && UPGRADE.test(bytes.toString('latin1'));
  }

  /** What flows in this direction wait for. */
  blocked(direction: Direction): Promise<void> | undefined {
    const isBlocked = this.#stalled === 'both' || this.#stalled === direction;
    return isBlocked ? this.#changed.opened : undefined;
  }

  asProxy(server: Server): FaultProxy {
    const links = this.#links;
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      get connections() {
        return [...links].filter((link) => link.hasClient).length;
      },
      shape: (shape) => {
        this.#shape = shape;
      },
      cut: (side = 'both') => this.#cut(side),
      cutAfter: (bytes) => {
        for (const link of links) link.cutAfter(bytes);
      },
      takeDown: () => {
        this.#isDown = true;
        this.#cut('both');
      },
      stall: (direction = 'both') => {
        this.#stalled = direction;
      },
      swallow: () => {
        for (const link of links) link.swallow();
      },
      blockWebSockets: () => {
        this.#blocksWebSockets = true;
      },
      restore: () => this.#restore(),
      retarget: (serverUrl) => {
        this.#target = new URL(serverUrl);
      },
      [Symbol.asyncDispose]: async () => {
        this.#isDown = true;
        for (const link of links) link.destroy();
        this.#restore();
        this.#isDown = true;
        await new Promise((resolve) => server.close(resolve));
      },
    };
  }

  #cut(side: 'both' | 'client' | 'server'): void {
    for (const link of this.#links) link.cut(side);
  }

  #restore(): void {
    this.#isDown = false;
    this.#stalled = undefined;
    this.#shape = {};
    const changed = this.#changed;
    this.#changed = createGate();
    changed.open();
  }
}

/** One client's connection and its counterpart to the server. */
class Link {
  readonly #incoming: Socket;
  readonly #outgoing: Socket;
  readonly #flows: readonly FaultFlow[];
  #carriedBytes = 0;
  #maxBytes = Number.POSITIVE_INFINITY;
  #isSwallowed = false;

  constructor(network: Network, incoming: Socket, outgoing: Socket) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    incoming.on('data', (bytes: Buffer) => {
      if (network.refuses(bytes)) this.cut('both');
    });
    const flowNetwork = (direction: Direction): FlowNetwork => ({
      shape: () => network.shape,
      blocked: () => network.blocked(direction),
      passing: (bytes) => (direction === 'toClient' ? this.#carry(bytes, network.shape) : bytes),
      cut: () => this.cut('both'),
    });
    const toServer = new FaultFlow(incoming, outgoing, flowNetwork('toServer'));
    const toClient = new FaultFlow(outgoing, incoming, flowNetwork('toClient'));
    this.#flows = [toServer, toClient];
    this.#couple(incoming, outgoing, toServer);
    this.#couple(outgoing, incoming, toClient);
  }

  get hasClient(): boolean {
    return !this.#incoming.destroyed;
  }

  whenGone(done: () => void): void {
    const look = (): void => {
      if (this.#incoming.destroyed && this.#outgoing.destroyed) done();
    };
    this.#incoming.on('close', look);
    this.#outgoing.on('close', look);
  }

  cut(side: 'both' | 'client' | 'server'): void {
    if (side !== 'both') this.swallow();
    if (side !== 'server') this.#incoming.resetAndDestroy();
    if (side !== 'client') this.#outgoing.resetAndDestroy();
  }

  cutAfter(bytes: number): void {
    this.#maxBytes = this.#carriedBytes + bytes;
  }

  swallow(): void {
    this.#isSwallowed = true;
    for (const flow of this.#flows) flow.stop();
    // Read and dropped: the sender's kernel takes it for delivered, as with a network that lost its tables.
    this.#incoming.resume();
    this.#outgoing.resume();
  }

  destroy(): void {
    this.#incoming.destroy();
    this.#outgoing.destroy();
  }

  /** What one side learns of the end of the other. */
  #couple(socket: Socket, other: Socket, flow: FaultFlow): void {
    socket.setNoDelay(true);
    socket.on('error', () => {
      if (!this.#isSwallowed) other.resetAndDestroy();
    });
    socket.on('end', () => {
      if (this.#isSwallowed) socket.destroy();
    });
    socket.on('close', () => {
      if (!this.#isSwallowed && !flow.hasEnded) other.destroy();
    });
  }

  #carry(bytes: number, { cutAfterBytes = Number.POSITIVE_INFINITY }: NetworkShape): number {
    const maxBytes = Math.min(this.#maxBytes, cutAfterBytes);
    const allowed = Math.max(0, Math.min(bytes, maxBytes - this.#carriedBytes));
    this.#carriedBytes += bytes;
    return allowed;
  }
}

/** A promise that is opened from outside. */
function createGate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
