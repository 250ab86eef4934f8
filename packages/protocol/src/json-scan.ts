/** True when `text` takes more than `maxBytes` in UTF-8. */
export function exceedsBytes(text: string, maxBytes: number): boolean {
  // A UTF-16 unit is 1 to 3 bytes of UTF-8, so most texts need no counting.
  if (text.length > maxBytes) return true;
  if (text.length * 3 <= maxBytes) return false;
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    // Two units of a surrogate pair make four bytes; a lone one is sent as U+FFFD, three.
    const pair = unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(index + 1));
    if (pair) index += 1;
    bytes += unit < 0x800 ? 1 : 2;
  }
  return bytes > maxBytes;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * True when objects and arrays are nested deeper than `maxDepth`, found without parsing. Brackets in strings
 * do not count.
 */
export function exceedsDepth(json: string, maxDepth: number): boolean {
  let depth = 0;
  for (let index = 0; index < json.length; index += 1) {
    const unit = json.charCodeAt(index);
    if (unit === QUOTE) {
      index = endOfString(json, index);
    } else if (unit === OPEN_OBJECT || unit === OPEN_ARRAY) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (unit === CLOSE_OBJECT || unit === CLOSE_ARRAY) {
      depth -= 1;
    }
  }
  return false;
}

/** The index of the quote that ends the string begun at `start`; the length of `json` when none does. */
function endOfString(json: string, start: number): number {
  let index = start + 1;
  while (index < json.length) {
    const unit = json.charCodeAt(index);
    if (unit === QUOTE) return index;
    index += unit === BACKSLASH ? 2 : 1;
  }
  return index;
}
