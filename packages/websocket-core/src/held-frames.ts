import type { Incoming } from './replies.js';

/** Messages that came before `connection_established`, within limits, in order (protocol §2). */
export class HeldFrames {
  readonly #maxFrames: number;
  readonly #maxBytes: number;
  #frames: Incoming[] = [];
  #bytes = 0;

  constructor(limits: { readonly maxHeldFrames: number; readonly maxHeldBytes: number }) {
    this.#maxFrames = limits.maxHeldFrames;
    this.#maxBytes = limits.maxHeldBytes;
  }

  /** False, and nothing held, when one of the limits would be passed. */
  hold(incoming: Incoming): boolean {
    const { bytes } = incoming;
    if (this.#frames.length >= this.#maxFrames || this.#bytes + bytes > this.#maxBytes) return false;
    this.#frames.push(incoming);
    this.#bytes += bytes;
    return true;
  }

  /** The next message, in order of arrival. */
  shift(): Incoming | undefined {
    const next = this.#frames.shift();
    if (next !== undefined) this.#bytes -= next.bytes;
    return next;
  }

  clear(): void {
    this.#frames = [];
    this.#bytes = 0;
  }
}
