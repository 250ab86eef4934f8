/** What one UTF-16 unit takes at most, in UTF-8 within JSON: an escape. */
export const MAX_UNIT_BYTES = 6;

/**
 * Cuts `text` into pieces of at most `maxBytes` (one character at least), in UTF-8 and as JSON writes them, never
 * inside a surrogate pair.
 */
export function splitText(text: string, maxBytes: number): readonly string[] {
  if (text.length * MAX_UNIT_BYTES <= maxBytes) return text === '' ? [] : [text];
  const pieces: string[] = [];
  let start = 0;
  let bytes = 0;
  for (let at = 0; at < text.length; ) {
    const size = bytesAt(text, at);
    const units = size === PAIR_BYTES ? 2 : 1;
    if (bytes > 0 && bytes + size > maxBytes) {
      pieces.push(text.slice(start, at));
      start = at;
      bytes = 0;
    }
    bytes += size;
    at += units;
  }
  pieces.push(text.slice(start));
  return pieces;
}

/** Whether `text` ends with the first half of a surrogate pair, whose other half may follow. */
export function endsInsidePair(text: string): boolean {
  return isHigh(text.charCodeAt(text.length - 1));
}

/** Bytes of the text in UTF-8 as JSON writes it, without the quotes. */
export function textBytes(text: string): number {
  let bytes = plainUnits(text);
  for (let at = bytes; at < text.length; ) {
    const size = bytesAt(text, at);
    bytes += size;
    at += size === PAIR_BYTES ? 2 : 1;
  }
  return bytes;
}

/** How many units at the beginning take one byte each: mostly all. In a loop of its own, which takes half the time. */
function plainUnits(text: string): number {
  let at = 0;
  for (; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20 || unit >= 0x80 || unit === QUOTE || unit === BACKSLASH) break;
  }
  return at;
}

/** Nothing else takes four bytes. */
const PAIR_BYTES = 4;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function bytesAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit >= 0x20 && unit < 0x80) return unit === QUOTE || unit === BACKSLASH ? 2 : 1;
  if (unit < 0x20) return isShortEscape(unit) ? 2 : MAX_UNIT_BYTES;
  if (unit < 0x800) return 2;
  if (unit < 0xd800 || unit >= 0xe000) return 3;
  return isPairAt(text, at) ? PAIR_BYTES : MAX_UNIT_BYTES;
}

/** Backspace, tab, line feed, form feed, carriage return. */
function isShortEscape(unit: number): boolean {
  return unit >= 0x08 && unit <= 0x0d && unit !== 0x0b;
}

function isPairAt(text: string, at: number): boolean {
  if (!isHigh(text.charCodeAt(at))) return false;
  const next = text.charCodeAt(at + 1);
  return next >= 0xdc00 && next < 0xe000;
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}
