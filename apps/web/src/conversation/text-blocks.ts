/** A stretch of a text that only grows. */
export interface TextBlock {
  readonly start: number;
  readonly text: string;
}

const MIN_BLOCK_LENGTH = 1_000;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
/** A line that may belong to what is above the blank line: a list item or something indented. */
const CONTINUES = /^(\s|[-*+]\s|\d{1,9}[.)]\s|>|\|)/;

/**
 * Cuts Markdown where a block surely ends: at a blank line outside of code, before a line that begins
 * something new. Appending to the text leaves all blocks but the last as they are.
 */
export function splitMarkdown(text: string): readonly TextBlock[] {
  const blocks: TextBlock[] = [];
  let start = 0;
  let fence: string | undefined;
  let isAfterBlank = false;
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at);
    const end = newline < 0 ? text.length : newline + 1;
    const line = text.slice(at, end);
    // Only a whole line is known not to continue the block above.
    const isNew = isAfterBlank && newline >= 0 && line.trim() !== '' && !CONTINUES.test(line);
    if (fence === undefined && isNew && at - start >= MIN_BLOCK_LENGTH) {
      blocks.push({ start, text: text.slice(start, at) });
      start = at;
    }
    fence = nextFence(fence, line);
    isAfterBlank = line.trim() === '';
    at = end;
  }
  blocks.push({ start, text: text.slice(start) });
  return blocks;
}

function nextFence(open: string | undefined, line: string): string | undefined {
  const mark = FENCE.exec(line)?.[1];
  if (mark === undefined) return open;
  if (open === undefined) return mark;
  return mark.startsWith(open) && line.trim() === mark ? undefined : open;
}

const SLICE_LENGTH = 8_192;

/**
 * Cuts plain text into stretches of about 8 KiB, at the end of a line or else of a word where there is one.
 * Appending to the text leaves all but the last as they are.
 */
export function slicePlain(text: string): readonly { readonly start: number; readonly end: number }[] {
  const slices: { start: number; end: number }[] = [];
  let start = 0;
  while (text.length - start > SLICE_LENGTH * 2) {
    const end = cutBefore(text, start, start + SLICE_LENGTH);
    slices.push({ start, end });
    start = end;
  }
  slices.push({ start, end: text.length });
  return slices;
}

function cutBefore(text: string, start: number, limit: number): number {
  const newline = text.lastIndexOf('\n', limit - 1);
  if (newline > start) return newline + 1;
  const space = text.lastIndexOf(' ', limit - 1);
  if (space > start) return space + 1;
  // Never between the halves of a surrogate pair.
  const code = text.charCodeAt(limit);
  return code >= 0xdc00 && code <= 0xdfff ? limit + 1 : limit;
}
