import { CodedError } from '@runwire/kernel';

/**
 * Why an id was refused.
 *
 * - `INVALID_ID`: the text is no id.
 * - `WRONG_KIND`: the text is an id of another kind than the expected one.
 * - `INVALID_UUID`: the text is no UUID, or the nil or the max UUID, which name nobody.
 * - `INVALID_SUBJECT`: the issuer or the subject is missing, blank, or longer than 2,048 characters.
 */
export type IdErrorCode = 'INVALID_ID' | 'WRONG_KIND' | 'INVALID_UUID' | 'INVALID_SUBJECT';

/** A text that was refused as an id. The message says what was expected and shows at most 64 characters of what came. */
export class IdError extends CodedError<IdErrorCode> {
  override readonly name = 'IdError';
}

const MAX_SHOWN_CHARS = 64;

/** What came, for an error message: quoted, on one line, at most 64 characters; never a foreign object's content. */
export function shown(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'string')
    return typeof value === 'undefined' ? 'undefined' : `a value of type ${typeof value}`;
  const whole = JSON.stringify(value.slice(0, MAX_SHOWN_CHARS));
  const cut = value.length > MAX_SHOWN_CHARS || whole.length > MAX_SHOWN_CHARS;
  return cut ? `${whole.slice(0, MAX_SHOWN_CHARS - 2)}…"` : whole;
}
