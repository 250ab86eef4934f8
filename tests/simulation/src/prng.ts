/**
 * A seeded source of choices. The same seed gives the same choices on every machine: 32-bit integer arithmetic
 * alone (xoshiro128**, seeded through splitmix32).
 */
export interface Prng {
  /** Uniform in [0, 1). */
  next(): number;
  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number;
  /** From `min` to `max`, each order of magnitude as likely as the next. For delays and sizes. */
  magnitude(min: number, max: number): number;
  chance(probability: number): boolean;
  /** @throws RangeError when there is nothing to pick from */
  pick<T>(items: readonly T[]): T;
  /** One of the keys, each as likely as its weight says. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K;
  /**
   * Another source, which depends on this one's seed and the name alone: what is drawn here, or left out, changes
   * nothing there. That is what lets a plan be shrunk without becoming another one.
   */
  fork(name: string): Prng;
}

/** Creates a source. */
export function createPrng(seed: string): Prng {
  return new Xoshiro(seed);
}

class Xoshiro implements Prng {
  readonly #seed: string;
  readonly #state: Uint32Array;

  constructor(seed: string) {
    this.#seed = seed;
    this.#state = spread(hashText(seed));
  }

  next(): number {
    return this.#next() / 2 ** 32;
  }

  int(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  magnitude(min: number, max: number): number {
    return Math.min(max, Math.round(min * (max / min) ** this.next()));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('There is nothing to pick from.');
    return items[this.int(0, items.length - 1)] as T;
  }

  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const keys = Object.keys(weights) as K[];
    let left = this.next() * keys.reduce((sum, key) => sum + weights[key], 0);
    const chosen = keys.find((key) => {
      left -= weights[key];
      return left < 0;
    });
    return chosen ?? this.pick(keys);
  }

  fork(name: string): Prng {
    return new Xoshiro(`${this.#seed}/${name}`);
  }

  #next(): number {
    const s = this.#state;
    const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = s;
    const result = Math.imul(rotate(Math.imul(s1, 5), 7), 9) >>> 0;
    const shifted = s1 << 9;
    const t2 = s2 ^ s0;
    const t3 = s3 ^ s1;
    s[0] = s0 ^ t3;
    s[1] = s1 ^ t2;
    s[2] = t2 ^ shifted;
    s[3] = rotate(t3, 11);
    return result;
  }
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** FNV-1a of the text's UTF-16 units. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

/** Four words from one, by splitmix32. */
function spread(seed: number): Uint32Array {
  let word = seed;
  return Uint32Array.from({ length: 4 }, () => {
    word = (word + 0x9e3779b9) | 0;
    let mixed = word ^ (word >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  });
}
