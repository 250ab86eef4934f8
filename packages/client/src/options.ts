import { type Clock, createSystemClock } from '@runwire/kernel';
import { type Cursor, LIMITS } from '@runwire/protocol';
import { cryptoRandom } from './command-ids.js';
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
  const { loadSnapshot, storage } = options;
  const fetcher = options.fetch ?? globalThis.fetch?.bind(globalThis);
  return {
    start: options.start ?? CLIENT_DEFAULTS.start,
    connectTimeoutMs: positive(options, 'connectTimeoutMs'),
    tokenTimeoutMs: positive(options, 'tokenTimeoutMs'),
    commandTimeoutMs: positive(options, 'commandTimeoutMs'),
    maxPendingCommands: positive(options, 'maxPendingCommands'),
    maxBufferedEvents: positive(options, 'maxBufferedEvents'),
    maxHeldEvents: LIMITS.maxHeldThreadEvents,
    url: socketUrl(options.url),
    getToken: options.getToken,
    webSocket: options.webSocket ?? globalWebSocket(),
    clock: options.clock ?? createSystemClock(),
    random: options.random ?? cryptoRandom,
    page: options.page ?? createPageSignals(),
    cursor: storage?.load()?.cursor,
    ...(loadSnapshot === undefined ? {} : { loadSnapshot }),
    ...(storage === undefined ? {} : { storage }),
    ...(fetcher === undefined ? {} : { fetch: fetcher }),
  };
}

type Quantity = Exclude<keyof typeof CLIENT_DEFAULTS, 'start'>;

function positive(options: ClientOptions, name: Quantity): number {
  const value = options[name] ?? CLIENT_DEFAULTS[name];
  if (!Number.isFinite(value) || value < 1) throw invalid(`${name} must be a number of at least 1.`);
  return value;
}

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
