import { type Clock, createSystemClock } from '@runwire/kernel';
import { CLIENT_LIMITS, type Cursor } from '@runwire/protocol/wire';
import { createCommandIds, cryptoRandom } from './command-ids.js';
import type { ClientOptions } from './contract.js';
import { ClientError } from './errors.js';
import { createPageSignals } from './page-signals.js';
import type { PageSignals, WebSocketConstructor } from './ports.js';

/** The defaults of `ClientOptions`. */
export const CLIENT_DEFAULTS = Object.freeze({
  start: 'live',
  transport: 'auto',
  onHandlerError: 'stop',
  connectTimeoutMs: 10_000,
  tokenTimeoutMs: 30_000,
  commandTimeoutMs: 60_000,
  maxPendingCommands: 100,
  maxBufferedEvents: 1_024,
} as const);

/** Options with every default in place. */
export interface ResolvedOptions
  extends Required<Pick<ClientOptions, keyof typeof CLIENT_DEFAULTS | 'getToken'>>,
    Pick<ClientOptions, 'loadSnapshot' | 'storage' | 'outbox'> {
  /** `ws:` or `wss:`, without a fragment. */
  readonly url: string;
  /** Undefined only when the transport is `sse`. */
  readonly webSocket: WebSocketConstructor | undefined;
  /** Undefined only where the transport is `websocket`, or ends up as it. */
  readonly fetch: typeof fetch | undefined;
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
  const resolved = { ...CLIENT_DEFAULTS, ...options };
  for (const [name, value] of Object.entries(resolved)) {
    // NaN is no number of anything either.
    if (typeof value === 'number' && !(value >= 1)) throw invalid(`${name} must be a number of at least 1.`);
  }
  const host = globalThis as { WebSocket?: WebSocketConstructor; fetch?: typeof fetch };
  const fetcher = options.fetch ?? host.fetch?.bind(host);
  const webSocket = options.webSocket ?? host.WebSocket;
  const needed = resolved.transport === 'sse' ? fetcher : webSocket;
  if (needed === undefined) throw invalid('There is no global WebSocket, or fetch: pass it as an option.');
  return {
    ...resolved,
    webSocket,
    fetch: fetcher,
    maxHeldEvents: CLIENT_LIMITS.maxHeldThreadEvents,
    url: socketUrl(options.url),
    clock: options.clock ?? createSystemClock(),
    random,
    newId: createCommandIds(random),
    page: options.page ?? createPageSignals(),
    cursor: options.storage?.load()?.cursor,
  };
}

function socketUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text, (globalThis as { location?: { href: string } }).location?.href);
  } catch (cause) {
    throw invalid('url is not a URL.', cause);
  }
  url.protocol = url.protocol.replace('http', 'ws');
  if (!/^wss?:$/.test(url.protocol)) throw invalid('url must be ws, wss, http or https.');
  url.hash = '';
  return url.href;
}

function invalid(message: string, cause?: unknown): ClientError {
  return new ClientError('CLIENT_INVALID_OPTIONS', message, { cause });
}
