import type { Clock } from '@runwire/kernel';
import { type ControlMessage, type ErrorCode, encodeCloseReason } from '@runwire/protocol';
import type { SocketLimits } from './options.js';
import { CountingWindow, SlidingWindow } from './rate-window.js';

const SECOND_MS = 1_000;
const TEN_SECONDS_MS = 10_000;
const MINUTE_MS = 60_000;

const BAD_MESSAGE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'INVALID_JSON',
  'INVALID_MESSAGE',
  'UNKNOWN_MESSAGE_TYPE',
  'MESSAGE_TOO_LARGE',
]);

/** What conduct needs of its connection. */
export interface ConductDeps {
  readonly clock: Clock;
  readonly limits: SocketLimits;
  close(code: number, reason: string): void;
}

/**
 * Whether a peer behaves (protocol §5, §7a). Errors are judged as they are answered, whoever answers them: a
 * handler that refuses an `ack` counts as much as the decoder.
 */
export class Conduct {
  readonly #deps: ConductDeps;
  readonly #bad: SlidingWindow;
  readonly #rateLimited: SlidingWindow;
  readonly #perSecond: CountingWindow;
  readonly #perTenSeconds: CountingWindow;

  constructor(deps: ConductDeps) {
    const { limits } = deps;
    this.#deps = deps;
    this.#bad = new SlidingWindow(limits.maxBadMessagesPerMinute, MINUTE_MS);
    this.#rateLimited = new SlidingWindow(limits.maxRateLimitedPerMinute, MINUTE_MS);
    this.#perSecond = new CountingWindow(limits.maxAcksAndPingsPerSecond, SECOND_MS);
    this.#perTenSeconds = new CountingWindow(limits.maxAcksAndPingsPerTenSeconds, TEN_SECONDS_MS);
  }

  /** Notes an answer that was sent. */
  noteSent(message: ControlMessage): void {
    const code = errorCodeOf(message);
    if (code === undefined) return;
    const nowMs = this.#deps.clock.monotonicMs();
    if (BAD_MESSAGE.has(code) && !this.#bad.take(nowMs).allowed) {
      this.#deps.close(4400, 'too many bad messages');
    } else if (code === 'RATE_LIMITED') {
      const verdict = this.#rateLimited.take(nowMs);
      if (!verdict.allowed) this.#deps.close(4429, encodeCloseReason(verdict));
    }
  }

  /** Notes an ack or a ping; false when it is to be dropped. */
  noteLight(): boolean {
    return this.noteControlFrame() && this.#perSecond.take(this.#deps.clock.monotonicMs());
  }

  /** Notes a ping or pong of the WebSocket protocol, which is answered already. */
  noteControlFrame(): boolean {
    if (this.#perTenSeconds.take(this.#deps.clock.monotonicMs())) return true;
    this.#deps.close(4429, encodeCloseReason({ retryAfterMs: TEN_SECONDS_MS }));
    return false;
  }
}

function errorCodeOf(message: ControlMessage): ErrorCode | undefined {
  if (message.type === 'error') return message.code;
  return message.type === 'command_rejected' ? message.error.code : undefined;
}
