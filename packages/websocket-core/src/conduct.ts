import { type ControlMessage, type ErrorCode, encodeCloseReason } from '@runwire/protocol';
import type { ConnectionHost } from './connection-host.js';
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

/** Whose conduct it is. */
export interface ConductOwner {
  close(code: number, reason: string): void;
}

/**
 * Whether a peer behaves (protocol §5, §7a). Errors are judged as they are answered, whoever answers them: a
 * handler that refuses an `ack` counts as much as the decoder. What nobody did yet takes no memory.
 */
export class Conduct {
  readonly #host: ConnectionHost;
  readonly #owner: ConductOwner;
  #bad: SlidingWindow | undefined;
  #rateLimited: SlidingWindow | undefined;
  #perSecond: CountingWindow | undefined;
  #perTenSeconds: CountingWindow | undefined;

  constructor(host: ConnectionHost, owner: ConductOwner) {
    this.#host = host;
    this.#owner = owner;
  }

  /** Notes an error that was sent. */
  noteError(code: ErrorCode): void {
    const { limits } = this.#host.options;
    if (BAD_MESSAGE.has(code)) {
      this.#bad ??= new SlidingWindow(limits.maxBadMessagesPerMinute, MINUTE_MS);
      if (!this.#bad.take(this.#nowMs()).allowed) this.#owner.close(4400, 'too many bad messages');
    } else if (code === 'RATE_LIMITED') {
      this.#rateLimited ??= new SlidingWindow(limits.maxRateLimitedPerMinute, MINUTE_MS);
      const verdict = this.#rateLimited.take(this.#nowMs());
      if (!verdict.allowed) this.#owner.close(4429, encodeCloseReason(verdict));
    }
  }

  /** Notes an ack or a ping; false when it is to be dropped. */
  noteLight(): boolean {
    const { maxAcksAndPingsPerSecond } = this.#host.options.limits;
    this.#perSecond ??= new CountingWindow(maxAcksAndPingsPerSecond, SECOND_MS);
    return this.noteControlFrame() && this.#perSecond.take(this.#nowMs());
  }

  /** Notes a ping or pong of the WebSocket protocol, which is answered already. */
  noteControlFrame(): boolean {
    const { maxAcksAndPingsPerTenSeconds } = this.#host.options.limits;
    this.#perTenSeconds ??= new CountingWindow(maxAcksAndPingsPerTenSeconds, TEN_SECONDS_MS);
    if (this.#perTenSeconds.take(this.#nowMs())) return true;
    this.#owner.close(4429, encodeCloseReason({ retryAfterMs: TEN_SECONDS_MS }));
    return false;
  }

  #nowMs(): number {
    return this.#host.deps.clock.monotonicMs();
  }
}

/** The code of a message that tells an error. */
export function errorCodeOf(message: ControlMessage): ErrorCode | undefined {
  if (message.type === 'error') return message.code;
  return message.type === 'command_rejected' ? message.error.code : undefined;
}
