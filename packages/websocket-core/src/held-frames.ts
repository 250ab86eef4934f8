/** Frames that came before `connection_established`, within limits, in order (protocol §2). */
export class HeldFrames {
  readonly #maxFrames: number;
  readonly #maxBytes: number;
  #frames: { readonly text: string; readonly bytes: number }[] = [];
  #bytes = 0;

  constructor(limits: { readonly maxHeldFrames: number; readonly maxHeldBytes: number }) {
    this.#maxFrames = limits.maxHeldFrames;
    this.#maxBytes = limits.maxHeldBytes;
  }

  /** False, and nothing held, when one of the limits would be passed. */
  hold(text: string, bytes: number): boolean {
    if (this.#frames.length >= this.#maxFrames || this.#bytes + bytes > this.#maxBytes) return false;
    this.#frames.push({ text, bytes });
    this.#bytes += bytes;
    return true;
  }

  /** The next frame, in order of arrival. */
  shift(): string | undefined {
    const next = this.#frames.shift();
    if (next === undefined) return undefined;
    this.#bytes -= next.bytes;
    return next.text;
  }

  clear(): void {
    this.#frames = [];
    this.#bytes = 0;
  }
}
