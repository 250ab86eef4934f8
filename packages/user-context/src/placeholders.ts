/** Texts that stand in for an id which somebody forgot to set. */
const WORDS: ReadonlySet<string> = new Set(
  (
    'registry placeholder default temp none null undefined 0 1 xxx yyy ' +
    'example test demo sample template mock fake dummy'
  ).split(' '),
);

const PREFIXES: readonly string[] = Object.freeze(
  'placeholder_ registry_ temp_ example_ demo_ sample_ template_ mock_ fake_ default_ test_'.split(' '),
);

/** From this length on a text that begins like a placeholder is taken for an id. */
const PREFIX_APPLIES_BELOW = 20;

/** True for a text that names nobody, in any case and with any white space around it. */
export function isPlaceholder(text: string): boolean {
  const plain = text.trim().toLowerCase();
  if (WORDS.has(plain)) return true;
  return plain.length < PREFIX_APPLIES_BELOW && PREFIXES.some((prefix) => plain.startsWith(prefix));
}
