import { createPrng, type Prng } from '../prng.js';

/** What answers are made of: of one, two, three and four bytes, pairs, joined pairs, marks, and what JSON escapes. */
const GLYPHS: readonly string[] = [
  'a',
  'b',
  'runs ',
  'one ',
  'x',
  ' ',
  '.',
  '\n',
  '"',
  '\\',
  '\u0000',
  '\u2028',
  'é',
  'ß',
  'Ж',
  'ع',
  '中',
  '한',
  '€',
  '\ufeff',
  'e\u0301',
  '😀',
  '🎉',
  '👩‍👩‍👧‍👦',
  '🇪🇺',
  '𝄞',
  '\ud83d',
  '\ude00',
  '</script>',
];

/**
 * Text of about `units` UTF-16 units, cut into `pieces` wherever it comes: between the halves of a pair too. The
 * same arguments give the same text.
 */
export function inventText(options: {
  readonly pieces: number;
  readonly size: number;
  readonly salt: number;
}): string[] {
  const prng = createPrng(`text ${options.salt}`);
  const alphabet = prng.chance(0.5) ? GLYPHS : GLYPHS.slice(0, 8);
  return cutAnywhere(prng, inventUnits(prng, alphabet, options.pieces * options.size), options.pieces);
}

function inventUnits(prng: Prng, alphabet: readonly string[], units: number): string {
  let text = '';
  while (text.length < units) text += prng.pick(alphabet);
  return text;
}

function cutAnywhere(prng: Prng, text: string, pieces: number): string[] {
  const cuts = Array.from({ length: pieces - 1 }, () => prng.int(1, Math.max(1, text.length - 1)));
  const edges = [0, ...cuts.sort((a, b) => a - b), text.length];
  return edges
    .slice(1)
    .map((edge, index) => text.slice(edges[index], edge))
    .filter((piece) => piece !== '');
}
