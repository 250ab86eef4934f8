const MAX_CHARACTERS = 80;

/** The title of a thread, from its first message: the first line that says something, cut at 80 characters. */
export function titleOf(text: string): string {
  const line = text.trim().split(/\s*\n/, 1).join('').replace(/\s+/g, ' ');
  const characters = Array.from(new Intl.Segmenter().segment(line), ({ segment }) => segment);
  if (characters.length <= MAX_CHARACTERS) return line;
  return `${characters.slice(0, MAX_CHARACTERS - 1).join('')}…`;
}
