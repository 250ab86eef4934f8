const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const LENGTH = 24;

/** Makes command ids (protocol §5): 142 random bits, so that no two tabs of a user meet. */
export function createCommandIds(random: () => number): () => string {
  return () => {
    let id = '';
    for (let n = 0; n < LENGTH; n += 1) id += ALPHABET[Math.floor(random() * ALPHABET.length)] ?? '0';
    return id;
  };
}

/** Uniform in [0, 1), from the host's cryptographic source. */
export function cryptoRandom(): number {
  const [word = 0] = crypto.getRandomValues(new Uint32Array(1));
  return word / 2 ** 32;
}
