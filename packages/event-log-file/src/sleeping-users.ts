import { hash } from 'node:crypto';
import type { UserId } from '@runwire/id-generation';
import type { StateLocation } from './user-log.js';

/** What is kept in memory of a user of whom nothing can be read and nothing else need be known at hand. */
export interface SleepingUser {
  /** From 1 on. */
  readonly head: number;
  readonly state: StateLocation;
  /** See `UserLog`. */
  readonly oldestDropped: number;
}

/** 128 bits of a SHA-256: no two users will ever have the same. */
const KEY_WORDS = 4;
/** Segment, offset and length of the state record, and the oldest dropped segment. */
const PLACE_WORDS = 4;
const INITIAL_SLOTS = 16;
const GROWTH = 1.5;
const MAX_LOAD = 0.8;

/**
 * A map of users in typed arrays, 40 bytes a slot: hundreds of thousands may come once and never again. The
 * rest of what is known of them stands in their state records. Open addressing, linear probing; a slot whose head
 * is 0 is free.
 */
export class SleepingUsers {
  #slots = INITIAL_SLOTS;
  #keys = new Uint32Array(INITIAL_SLOTS * KEY_WORDS);
  #heads = new Float64Array(INITIAL_SLOTS);
  #places = new Uint32Array(INITIAL_SLOTS * PLACE_WORDS);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get(userId: UserId): SleepingUser | undefined {
    if (this.#count === 0) return undefined;
    const slot = this.#find(keyOf(userId));
    const head = this.#heads[slot] ?? 0;
    if (head === 0) return undefined;
    const [segment = 0, offset = 0, length = 0, oldestDropped = 0] = wordsAt(this.#places, slot);
    return { head, state: { segment, offset, length, first: head + 1 }, oldestDropped };
  }

  set(userId: UserId, { head, state, oldestDropped }: SleepingUser): void {
    if (this.#count + 1 > this.#slots * MAX_LOAD) this.#grow();
    const key = keyOf(userId);
    const slot = this.#find(key);
    if (this.#heads[slot] === 0) this.#count += 1;
    this.#keys.set(key, slot * KEY_WORDS);
    this.#heads[slot] = head;
    this.#places.set([state.segment, state.offset, state.length, oldestDropped], slot * PLACE_WORDS);
  }

  delete(userId: UserId): void {
    let hole = this.#find(keyOf(userId));
    if (this.#heads[hole] === 0) return;
    this.#count -= 1;
    // Whatever would no longer be found behind the hole moves into it.
    for (let slot = this.#after(hole); this.#heads[slot] !== 0; slot = this.#after(slot)) {
      const fromHome = (slot - this.#home(wordsAt(this.#keys, slot)) + this.#slots) % this.#slots;
      const fromHole = (slot - hole + this.#slots) % this.#slots;
      if (fromHome < fromHole) continue;
      this.#take(this, slot, hole);
      hole = slot;
    }
    this.#heads[hole] = 0;
  }

  /** The slot of the key, or the free one where it would be. */
  #find(key: Uint32Array): number {
    let slot = this.#home(key);
    while (this.#heads[slot] !== 0 && !isEqual(wordsAt(this.#keys, slot), key)) slot = this.#after(slot);
    return slot;
  }

  #home(key: Uint32Array): number {
    return (key[0] ?? 0) % this.#slots;
  }

  #after(slot: number): number {
    return (slot + 1) % this.#slots;
  }

  #take(from: SleepingUsers, slot: number, to: number): void {
    this.#keys.set(wordsAt(from.#keys, slot), to * KEY_WORDS);
    this.#heads[to] = from.#heads[slot] ?? 0;
    this.#places.set(wordsAt(from.#places, slot), to * PLACE_WORDS);
  }

  #grow(): void {
    const larger = new SleepingUsers();
    larger.#allocate(Math.ceil(this.#slots * GROWTH));
    for (let slot = 0; slot < this.#slots; slot += 1) {
      if (this.#heads[slot] !== 0) larger.#take(this, slot, larger.#find(wordsAt(this.#keys, slot)));
    }
    this.#slots = larger.#slots;
    this.#keys = larger.#keys;
    this.#heads = larger.#heads;
    this.#places = larger.#places;
  }

  #allocate(slots: number): void {
    this.#slots = slots;
    this.#keys = new Uint32Array(slots * KEY_WORDS);
    this.#heads = new Float64Array(slots);
    this.#places = new Uint32Array(slots * PLACE_WORDS);
  }
}

/** Keys and places have as many words. */
function wordsAt(words: Uint32Array, slot: number): Uint32Array {
  return words.subarray(slot * KEY_WORDS, (slot + 1) * KEY_WORDS);
}

function isEqual(one: Uint32Array, other: Uint32Array): boolean {
  return one[0] === other[0] && one[1] === other[1] && one[2] === other[2] && one[3] === other[3];
}

function keyOf(userId: UserId): Uint32Array {
  const digest = hash('sha256', userId, 'buffer');
  const key = new Uint32Array(KEY_WORDS);
  for (let word = 0; word < KEY_WORDS; word += 1) key[word] = digest.readUInt32LE(word * 4);
  return key;
}
