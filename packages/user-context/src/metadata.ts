import { idFromUuid, isUuid, type UserId } from '@runwire/id-generation';
import type { Metadata, MetadataValue } from './contract.js';
import { fieldError } from './errors.js';

const RESERVED: ReadonlySet<string> = new Set([
  'userId',
  'threadId',
  'runId',
  'requestId',
  'connectionId',
  'createdAt',
]);
const MAX_DEPTH = 16;
const MAX_VALUES = 1_000;
const MAX_SHOWN_CHARS = 64;

/** What is carried along while one metadata is copied. */
interface Copy {
  readonly userId: UserId;
  values: number;
}

/** A deeply frozen copy of the metadata of a context of `userId`. */
export function copyMetadata(metadata: unknown, userId: UserId): Metadata {
  if (!isRecord(metadata)) throw fieldError('METADATA_INVALID', 'metadata', 'must be a plain object');
  for (const key of Object.keys(metadata)) {
    if (RESERVED.has(key)) {
      throw fieldError(
        'METADATA_RESERVED',
        `metadata.${key}`,
        'is reserved: it names a part of the identity',
      );
    }
  }
  return copyRecord(metadata, ['metadata'], { userId, values: 0 });
}

function copyRecord(record: object, path: readonly string[], copy: Copy): Metadata {
  const entries: [string, MetadataValue][] = [];
  for (const [key, value] of Object.entries(record)) {
    if (value === undefined) continue;
    const at = [...path, key];
    if (isUserIdKey(key)) refuseForeignUser(value, at, copy.userId);
    entries.push([key, copyValue(value, at, copy)]);
  }
  // Defines own properties: a key `__proto__` stays a key.
  return Object.freeze(Object.fromEntries(entries));
}

function copyValue(value: unknown, path: readonly string[], copy: Copy): MetadataValue {
  copy.values += 1;
  if (copy.values > MAX_VALUES) throw invalid(['metadata'], `must hold at most ${MAX_VALUES} values`);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value !== 'object') throw invalid(path, `must be JSON, got a value of type ${typeof value}`);
  // Also ends a structure that contains itself.
  if (path.length > MAX_DEPTH) throw invalid(['metadata'], `must be at most ${MAX_DEPTH} levels deep`);
  if (Array.isArray(value)) {
    return Object.freeze(Array.from(value, (item, index) => copyValue(item, [...path, String(index)], copy)));
  }
  if (!isRecord(value)) throw invalid(path, 'must be JSON, got an instance of a class');
  return copyRecord(value, path, copy);
}

function refuseForeignUser(value: unknown, path: readonly string[], userId: UserId): void {
  const named = isUuid(value) ? idFromUuid('user', value) : value;
  if (named === userId) return;
  throw fieldError(
    'METADATA_FOREIGN_USER',
    path.join('.'),
    'must not name another user than the context does',
  );
}

/** `userId` as it is written here and elsewhere: `user_id`, `userID`. */
function isUserIdKey(key: string): boolean {
  return /^user[_-]?id$/i.test(key);
}

function isRecord(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function invalid(path: readonly string[], problem: string): Error {
  return fieldError('METADATA_INVALID', shown(path), problem);
}

/** Keys come from outside: no more of them than a log line bears. */
function shown(path: readonly string[]): string {
  const whole = path.join('.');
  return whole.length > MAX_SHOWN_CHARS ? `${whole.slice(0, MAX_SHOWN_CHARS - 1)}…` : whole;
}
