import { CLOSE_CODES } from '@runwire/protocol';
import type { RefusalReason } from './upgrade.js';

/** Why an inbound message was not handled: an error code, or what happened on the way. */
export type RejectionReason = string;

const KNOWN_CODES: ReadonlySet<number> = new Set(Object.keys(CLOSE_CODES).map(Number));

/** What a socket server counts over its life. Every key is of a closed set: a peer cannot add one. */
export class Counters {
  accepted = 0;
  routed = 0;
  readonly #refused = new Map<string, number>();
  readonly #closed = new Map<string, number>();
  readonly #rejected = new Map<string, number>();

  refuse(reason: RefusalReason): void {
    add(this.#refused, reason);
  }

  /** A peer may close with any code; what is not in the table counts as `other`. */
  close(code: number): void {
    add(this.#closed, KNOWN_CODES.has(code) ? String(code) : 'other');
  }

  reject(reason: RejectionReason): void {
    add(this.#rejected, reason);
  }

  get refused(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#refused);
  }

  get closed(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#closed);
  }

  get rejected(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#rejected);
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
