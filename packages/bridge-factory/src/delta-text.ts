/**
 * Cuts `text` into pieces of at most `maxBytes` of UTF-8 (one character at least), never inside a surrogate
 * pair. A surrogate without its other half counts the three bytes it would take.
 */
export function splitText(text: string, maxBytes: number): readonly string[] {
  // A UTF-16 code unit is at most three bytes.
  if (text.length * 3 <= maxBytes) return text === '' ? [] : [text];
  const pieces: string[] = [];
  let start = 0;
  let bytes = 0;
  for (let at = 0; at < text.length; ) {
    const units = isPairAt(text, at) ? 2 : 1;
    const size = units === 2 ? 4 : unitBytes(text.charCodeAt(at));
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

function unitBytes(unit: number): number {
  if (unit < 0x80) return 1;
  return unit < 0x800 ? 2 : 3;
}

function isPairAt(text: string, at: number): boolean {
  if (!isHigh(text.charCodeAt(at))) return false;
  const next = text.charCodeAt(at + 1);
  return next >= 0xdc00 && next < 0xe000;
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}
