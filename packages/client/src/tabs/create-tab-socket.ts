import { createSystemClock } from '@runwire/kernel';
import { createCommandIds, cryptoRandom } from '../command-ids.js';
import { ClientError } from '../errors.js';
import type { WebSocketConstructor } from '../ports.js';
import type { TabChannel, TabLocks, TabSocketOptions } from './contract.js';
import { createTab, type Tab } from './tab.js';

/** The defaults of `TabSocketOptions`. */
export const TAB_SOCKET_DEFAULTS = Object.freeze({
  name: 'runwire',
  joinTimeoutMs: 2_000,
  maxHistoryChars: 1_048_576,
} as const);

/** Tabs with another version of this code do not understand each other, and do not meet. */
const VERSION = 1;

/**
 * Creates a `webSocket` for `createRunwireClient` that several tabs of one user share. One tab leads: it holds
 * the lock, has the connection, and relays. Each tab stays a whole client with a cursor of its own; one that the
 * leader cannot bring up to date, or that finds no leader, gets a connection of its own.
 *
 * @throws ClientError `CLIENT_INVALID_OPTIONS`
 */
export function createTabSocket(options: TabSocketOptions): WebSocketConstructor {
  const host = globalThis as {
    WebSocket?: WebSocketConstructor;
    BroadcastChannel?: new (name: string) => TabChannel;
    navigator?: { readonly locks?: TabLocks };
  };
  const { userId, name, random = cryptoRandom, ...rest } = { ...TAB_SOCKET_DEFAULTS, ...options };
  const webSocket = options.webSocket ?? host.WebSocket;
  if (userId === '') throw new ClientError('CLIENT_INVALID_OPTIONS', 'userId must not be empty.');
  if (webSocket === undefined) {
    throw new ClientError('CLIENT_INVALID_OPTIONS', 'There is no global WebSocket: pass one as webSocket.');
  }
  const locks = options.locks ?? host.navigator?.locks;
  const Channel = host.BroadcastChannel;
  const channel = options.channel ?? (Channel && ((channelName: string) => new Channel(channelName)));
  if (locks === undefined || channel === undefined) return webSocket;

  const clock = options.clock ?? createSystemClock();
  const deps = { ...rest, userId, webSocket, locks, channel, clock, random, newId: createCommandIds(random) };
  const tabs = new Map<string, Tab>();
  const tabAt = (address: string): Tab => {
    const scope = JSON.stringify(['runwire-tabs', VERSION, name, userId, address]);
    const tab = tabs.get(scope) ?? createTab({ ...deps, scope });
    tabs.set(scope, tab);
    return tab;
  };
  // A constructor may give back an object of another class.
  return function SharedSocket(url: string, protocols: string[]) {
    const { origin, pathname } = new URL(url);
    return tabAt(origin + pathname).open(url, protocols);
  } as unknown as WebSocketConstructor;
}
