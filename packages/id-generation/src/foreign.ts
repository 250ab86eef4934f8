import type { ForeignSubject, IdOf, UserId } from './contract.js';
import { IdError, shown } from './errors.js';
import { mappedDigits, PREFIX, SUBJECT_MARK, UUID_MARK } from './format.js';
import { sha256Hex } from './sha256.js';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const NOBODY = /^(?:[0-]+|[f-]+)$/i;
const MAX_SUBJECT_CHARS = 2_048;
const DIGEST_HEX_DIGITS = 32;

/** True for a UUID of any version in its 8-4-4-4-12 form, in either case, except the nil and the max UUID. */
export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value) && !NOBODY.test(value);
}

/**
 * Maps a UUID to the own id that stands for it, always the same: `usr_u…` or `thr_u…` with all its 128 bits,
 * so two UUIDs never share an id. The case of the UUID does not matter.
 *
 * @throws IdError `INVALID_UUID`
 */
export function idFromUuid<K extends 'user' | 'thread'>(kind: K, uuid: string): IdOf<K> {
  if (!isUuid(uuid)) {
    throw new IdError('INVALID_UUID', `Expected a UUID that is neither nil nor max, got ${shown(uuid)}.`);
  }
  return `${PREFIX[kind]}_${UUID_MARK}${mappedDigits(uuid.replaceAll('-', ''))}` as IdOf<K>;
}

/**
 * Maps an outside issuer's subject to the own user id that stands for it, always the same: `usr_s…` with 128
 * bits of a SHA-256 over both, each with its length, so no other pair can be arranged to give the same text.
 *
 * @throws IdError `INVALID_SUBJECT`
 */
export function userIdFromSubject(foreign: ForeignSubject): UserId {
  const issuer = checked('issuer', foreign.issuer);
  const subject = checked('subject', foreign.subject);
  const bytes = new TextEncoder().encode(
    `runwire:subject:${issuer.length}:${issuer}:${subject.length}:${subject}`,
  );
  return `${PREFIX.user}_${SUBJECT_MARK}${mappedDigits(sha256Hex(bytes).slice(0, DIGEST_HEX_DIGITS))}` as UserId;
}

function checked(field: keyof ForeignSubject, value: unknown): string {
  if (typeof value === 'string' && value.trim() !== '' && value.length <= MAX_SUBJECT_CHARS) return value;
  throw new IdError(
    'INVALID_SUBJECT',
    `Expected ${field} to be 1 to ${MAX_SUBJECT_CHARS} characters that are not all blank, got ${shown(value)}.`,
    { details: { field } },
  );
}
