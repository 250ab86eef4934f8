const MAX_CHARACTERS = 80;
/** Of a line that nobody could show whole, only this much is looked at. */
const MAX_SCANNED_LENGTH = 1_000;

/** The title of a thread, from its first message: the first line that says something, cut at 80 characters. */
export function titleOf(text: string): string {
  // No pattern here may go back over a run of blanks: the text is the user's, and may be all blanks.
  const [firstLine = ''] = text.trim().split('\n', 1);
  const line = firstLine.slice(0, MAX_SCANNED_LENGTH).replace(/\s+/g, ' ').trim();
  const characters = Array.from(new Intl.Segmenter().segment(line), ({ segment }) => segment);
  if (characters.length <= MAX_CHARACTERS) return line;
  return `${characters.slice(0, MAX_CHARACTERS - 1).join('')}…`;
}
