const RADIX = 36;
const RANDOM_DIGITS = 24;

/**
 * Makes command ids (protocol §5): 124 random bits, so that no two tabs of a user meet, and a counter, so that
 * a client repeats none whatever its `random` is.
 */
export function createCommandIds(random: () => number): () => string {
  let count = 0;
  return () => {
    count += 1;
    let id = `${count.toString(RADIX)}-`;
    for (let n = 0; n < RANDOM_DIGITS; n += 1) id += Math.floor(random() * RADIX).toString(RADIX);
    return id;
  };
}

/** Uniform in [0, 1), from the host's cryptographic source. */
export function cryptoRandom(): number {
  const [word = 0] = crypto.getRandomValues(new Uint32Array(1));
  return word / 2 ** 32;
}
