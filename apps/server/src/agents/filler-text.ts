const WORDS = 'every event once and in order through drops and reloads until the last word has arrived '
  .split(' ')
  .filter(Boolean);
const LINE_WORDS = 12;

/** Deterministic text of exactly `bytes` ASCII bytes, in pieces of about a line. */
export function* fillerText(bytes: number): Generator<string> {
  let left = bytes;
  for (let line = 1; left > 0; line += 1) {
    const words = Array.from({ length: LINE_WORDS }, (_, index) => WORDS[(line * 5 + index) % WORDS.length]);
    const piece = `${line}. ${words.join(' ')}\n`.slice(0, left);
    left -= piece.length;
    yield piece;
  }
}
