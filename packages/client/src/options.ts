import { type Clock, createSystemClock } from '@runwire/kernel';
import { type Cursor, LIMITS } from '@runwire/protocol';
import { createCommandIds, cryptoRandom } from './command-ids.js';
import type { ClientOptions, PageSignals, WebSocketConstructor } from './contract.js';
import { ClientError } from './errors.js';
import { createPageSignals } from './page-signals.js';

/** The defaults of `ClientOptions`. */
export const CLIENT_DEFAULTS = Object.freeze({
  start: 'live',
  connectTimeoutMs: 10_000,
  tokenTimeoutMs: 30_000,
  commandTimeoutMs: 60_000,
  maxPendingCommands: 100,
  maxBufferedEvents: 1_024,
} as const);

/** Options with every default in place. */
export interface ResolvedOptions
  extends Required<Pick<ClientOptions, keyof typeof CLIENT_DEFAULTS | 'getToken'>>,
    Pick<ClientOptions, 'loadSnapshot' | 'storage' | 'fetch'> {
  /** `ws:` or `wss:`, without a fragment. */
  readonly url: string;
  readonly webSocket: WebSocketConstructor;
  readonly clock: Clock;
  readonly random: () => number;
  /** Makes ids of commands. */
  readonly newId: () => string;
  readonly page: PageSignals;
  /** The stored cursor. */
  readonly cursor: Cursor | undefined;
  readonly maxHeldEvents: number;
}

/**
 * Fills in the defaults.
 *
 * @throws ClientError `CLIENT_INVALID_OPTIONS`
 */
export function resolveOptions(options: ClientOptions): ResolvedOptions {
  const { random = cryptoRandom } = options;
  const fetcher = options.fetch ?? globalThis.fetch?.bind(globalThis);
  const resolved = { ...CLIENT_DEFAULTS, ...options };
  for (const name of QUANTITIES) {
    // NaN is no number of anything either.
    if (!(resolved[name] >= 1)) throw invalid(`${name} must be a number of at least 1.`);
  }
  return {
    ...resolved,
    maxHeldEvents: LIMITS.maxHeldThreadEvents,
    url: socketUrl(options.url),
    webSocket: options.webSocket ?? globalWebSocket(),
    clock: options.clock ?? createSystemClock(),
    random,
    newId: createCommandIds(random),
    page: options.page ?? createPageSignals(),
    cursor: options.storage?.load()?.cursor,
    ...(fetcher === undefined ? {} : { fetch: fetcher }),
  };
}

const QUANTITIES = [
  'connectTimeoutMs',
  'tokenTimeoutMs',
  'commandTimeoutMs',
  'maxPendingCommands',
  'maxBufferedEvents',
] as const;

function socketUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text, (globalThis as { location?: { href: string } }).location?.href);
  } catch (cause) {
    throw invalid('url is not a URL.', cause);
  }
  if (url.protocol === 'http:') url.protocol = 'ws:';
  if (url.protocol === 'https:') url.protocol = 'wss:';
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') throw invalid('url must be ws, wss, http or https.');
  url.hash = '';
  return url.href;
}

function globalWebSocket(): WebSocketConstructor {
  const { WebSocket } = globalThis as { WebSocket?: WebSocketConstructor };
  if (WebSocket === undefined) throw invalid('There is no global WebSocket: pass one as webSocket.');
  return WebSocket;
}

function invalid(message: string, cause?: unknown): ClientError {
  return new ClientError('CLIENT_INVALID_OPTIONS', message, { cause });
}
