import type { WebSocketConstructor, WebSocketLike } from '../../src/index.js';
import type { TabChannel, TabLocks } from '../../src/tabs/index.js';

interface LockRequest {
  readonly tab: BrowserTab;
  readonly held: () => Promise<void>;
  readonly settle: { resolve: () => void; reject: (error: unknown) => void };
}

/** Tabs of one origin: locks and channels in memory, everything in the order it happened. */
export class FakeBrowser {
  readonly #locks = new Map<string, LockRequest[]>();
  readonly #channels = new Set<FakeChannel>();

  get openChannels(): number {
    return this.#channels.size;
  }

  /** Held or waited for. */
  get lockRequests(): number {
    return [...this.#locks.values()].flat().length;
  }

  tab(): BrowserTab {
    return new BrowserTab(this);
  }

  openChannel(tab: BrowserTab, name: string): TabChannel {
    const channel = new FakeChannel(this, tab, name);
    this.#channels.add(channel);
    return channel;
  }

  closeChannel(channel: FakeChannel): void {
    this.#channels.delete(channel);
  }

  post(from: FakeChannel, message: unknown): void {
    for (const channel of this.#channels) {
      if (channel === from || channel.name !== from.name) continue;
      const copy = structuredClone(message);
      channel.tab.run(() => {
        if (this.#channels.has(channel)) channel.deliver(copy);
      });
    }
  }

  request(name: string, request: LockRequest): void {
    const queue = this.#locks.get(name) ?? [];
    this.#locks.set(name, [...queue, request]);
    if (queue.length === 0) this.#grant(name, request);
  }

  release(name: string, request: LockRequest): void {
    const queue = this.#locks.get(name) ?? [];
    const wasHolder = queue[0] === request;
    const rest = queue.filter((other) => other !== request);
    this.#locks.set(name, rest);
    const [next] = rest;
    if (wasHolder && next !== undefined) this.#grant(name, next);
  }

  killed(tab: BrowserTab): void {
    for (const channel of this.#channels) if (channel.tab === tab) this.#channels.delete(channel);
    for (const [name, queue] of this.#locks) {
      // Who waits goes first, so that the lock does not pass to the dead.
      for (const request of queue.toReversed()) if (request.tab === tab) this.release(name, request);
    }
  }

  #grant(name: string, request: LockRequest): void {
    request.tab.run(() => {
      if (this.#locks.get(name)?.[0] !== request) return;
      void request.held().then(() => {
        this.release(name, request);
        request.settle.resolve();
      });
    });
  }
}

/** One tab: frozen, it runs nothing until it thaws; killed, it never does again; deaf, it misses what is sent. */
export class BrowserTab {
  readonly #browser: FakeBrowser;
  readonly #sockets: WebSocketLike[] = [];
  #frozen: (() => void)[] | undefined;
  isDead = false;
  isDeaf = false;
  readonly locks: TabLocks;
  readonly channel: (name: string) => TabChannel;

  constructor(browser: FakeBrowser) {
    this.#browser = browser;
    this.channel = (name) => browser.openChannel(this, name);
    this.locks = {
      request: (name, { signal }, held) =>
        new Promise<void>((resolve, reject) => {
          const request = { tab: this, held, settle: { resolve, reject } };
          browser.request(name, request);
          signal.addEventListener('abort', () => {
            if (this.isDead) return;
            browser.release(name, request);
            reject(signal.reason);
          });
        }),
    };
  }

  /** Sockets of this tab; a dead tab opens none. */
  webSocket(inner: WebSocketConstructor): WebSocketConstructor {
    const open = (url: string, protocols: string[]): WebSocketLike => {
      if (this.isDead) return DEAD;
      const socket = new inner(url, protocols);
      this.#sockets.push(socket);
      return socket;
    };
    return function TabOwned(url: string, protocols: string[]) {
      return open(url, protocols);
    } as unknown as WebSocketConstructor;
  }

  run(task: () => void): void {
    queueMicrotask(() => {
      if (this.isDead || this.isDeaf) return;
      if (this.#frozen === undefined) task();
      else this.#frozen.push(task);
    });
  }

  freeze(): void {
    this.#frozen ??= [];
  }

  thaw(): void {
    const tasks = this.#frozen ?? [];
    this.#frozen = undefined;
    for (const task of tasks) this.run(task);
  }

  /** The process is gone, with everything the tab has. */
  kill(): void {
    this.isDead = true;
    this.#browser.killed(this);
    for (const socket of this.#sockets) socket.terminate?.();
  }
}

const DEAD: WebSocketLike = {
  readyState: 0,
  send: () => undefined,
  close: () => undefined,
  addEventListener: () => undefined,
};

class FakeChannel implements TabChannel {
  readonly tab: BrowserTab;
  readonly name: string;
  readonly #browser: FakeBrowser;
  readonly #listeners: ((event: { readonly data: unknown }) => void)[] = [];

  constructor(browser: FakeBrowser, tab: BrowserTab, name: string) {
    this.#browser = browser;
    this.tab = tab;
    this.name = name;
  }

  postMessage(message: unknown): void {
    if (!this.tab.isDead) this.#browser.post(this, message);
  }

  addEventListener(_type: 'message', listener: (event: { readonly data: unknown }) => void): void {
    this.#listeners.push(listener);
  }

  close(): void {
    this.#browser.closeChannel(this);
  }

  deliver(data: unknown): void {
    for (const listener of this.#listeners) listener({ data });
  }
}
