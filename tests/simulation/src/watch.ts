import type { Logger } from '@runwire/kernel';
import type { Verdicts } from './audit/verdicts.js';
import type { Connection } from './network/connection.js';
import type { NodeLimits } from './server/limits.js';

/** What is watched, and who is told. */
export interface WatchDeps {
  readonly limits: NodeLimits;
  readonly verdicts: Verdicts;
  readonly note: (who: string, what: () => string) => void;
}

/** The control messages that may stand in a buffer beside events. */
const CONTROL_ALLOWANCE_BYTES = 8_192;
/** What is logged when a part does not keep its contract, whatever the world does. */
const MUST_NOT_HAPPEN = /subscriber of the event log threw|handler threw|No handler|disposer failed/;

/** Looks at what servers keep for slow readers, and at what they log. */
export class Watch {
  readonly #deps: WatchDeps;
  /** One event that is larger than any limit goes alone. */
  #largestFrameBytes = 0;

  constructor(deps: WatchDeps) {
    this.#deps = deps;
  }

  /** A server has just written to a connection. */
  sent({ id, server }: Connection, frames: readonly Uint8Array[]): void {
    for (const { byteLength } of frames)
      this.#largestFrameBytes = Math.max(this.#largestFrameBytes, byteLength);
    const { limits, verdicts } = this.#deps;
    const limit = limits.socketBufferHighBytes + this.#largestFrameBytes + CONTROL_ALLOWANCE_BYTES;
    if (server.bufferedBytes <= limit) return;
    verdicts.violated('socket buffer', `connection ${id} keeps ${server.bufferedBytes} bytes`);
  }

  /** Delivery has counted what is in flight to a connection. */
  inFlight(unackedBytes: number, largestFrameBytes: number): void {
    const { limits, verdicts } = this.#deps;
    // Before its first ack a client may have twice as much.
    if (unackedBytes <= 2 * limits.maxUnackedBytes + largestFrameBytes) return;
    verdicts.violated('unacked', `${unackedBytes} bytes are in flight to one connection`);
  }

  /** The logger of a process. */
  logger(process: string): Logger {
    const { note, verdicts } = this.#deps;
    const at =
      (level: string) =>
      (fields: Readonly<Record<string, unknown>>, message: string): void => {
        const cause = fields['err'] === undefined ? '' : describeCause(fields['err']);
        note(process, () => `${level}: ${message} ${cause}`);
        if (level === 'error' && MUST_NOT_HAPPEN.test(message)) {
          verdicts.violated('logged', `${process}: ${message} ${cause}`);
        }
      };
    const logger: Logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: at('warn'),
      error: at('error'),
      child: () => logger,
    };
    return logger;
  }
}

/** An error with what caused it. */
export function describeCause(cause: unknown): string {
  if (!(cause instanceof Error)) return typeof cause === 'string' ? cause : JSON.stringify(cause);
  const inner = cause.cause === undefined ? '' : ` ← ${describeCause(cause.cause)}`;
  return `${cause.message}${inner}`;
}
