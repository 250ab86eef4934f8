import type { ClientOptions } from '../../src/index.js';
import { createTabSocket, type TabSocketOptions } from '../../src/tabs/index.js';
import { type BrowserTab, FakeBrowser } from './fake-browser.js';
import type { FakeServer } from './fake-server.js';
import { createHarness, type Harness } from './harness.js';

/** A client in a tab of a browser. */
export interface TabHarness extends Harness {
  readonly tab: BrowserTab;
  /** The tab is gone at once, as in a crash. */
  kill(): Promise<void>;
}

/** Tabs of one user at one server. Disposal audits each, and that no lock or channel is left. */
export interface TabsHarness extends AsyncDisposable {
  readonly browser: FakeBrowser;
  readonly server: FakeServer;
  readonly tabs: TabHarness[];
  open(client?: Partial<ClientOptions>, tab?: Partial<TabSocketOptions>): TabHarness;
  /** Opens and connects. */
  connect(client?: Partial<ClientOptions>, tab?: Partial<TabSocketOptions>): Promise<TabHarness>;
}

/** Creates a browser without tabs. */
export function createTabs(server: FakeServer): TabsHarness {
  const browser = new FakeBrowser();
  const tabs: TabHarness[] = [];
  const open: TabsHarness['open'] = (options = {}, tabOptions = {}) => {
    const tab = browser.tab();
    const { clock } = server;
    const random = createRandom(tabs.length + 1);
    const webSocket = createTabSocket({
      userId: 'user_1',
      locks: tab.locks,
      channel: tab.channel,
      webSocket: tab.webSocket(server.webSocket),
      clock,
      random,
      ...tabOptions,
    });
    const harness = createHarness({ webSocket, random, transport: 'websocket', ...options }, server);
    const tabHarness: TabHarness = {
      ...harness,
      tab,
      async kill() {
        tab.kill();
        await harness.client.close();
        await clock.settle();
      },
    };
    tabs.push(tabHarness);
    return tabHarness;
  };
  return {
    browser,
    server,
    tabs,
    open,
    async connect(...options) {
      const harness = open(...options);
      await harness.connect();
      return harness;
    },
    async [Symbol.asyncDispose]() {
      for (const { client } of tabs) await client.close();
      // One whose socket had ended keeps its place for a moment.
      await server.clock.advance(1_000);
      for (const tab of tabs) await tab[Symbol.asyncDispose]();
      if (browser.openChannels !== 0) throw new Error(`${browser.openChannels} channels are left.`);
      if (browser.lockRequests !== 0) throw new Error(`${browser.lockRequests} locks are left.`);
    },
  };
}

/** Uniform in [0, 1), by a seed: each tab has its own. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
