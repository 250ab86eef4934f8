import { type IdKind, type IdOf, idFromUuid, isId, isUuid, parseIdAs } from '@runwire/id-generation';
import { fieldError } from './errors.js';
import { isPlaceholder } from './placeholders.js';

const MAX_SESSION_ID_CHARS = 128;
const MAX_OPERATION_CHARS = 128;
const MAX_SHOWN_CHARS = 64;

/**
 * The field as an id of its kind. A UUID stands for a user or a thread of another system and is mapped; a
 * run, a request or a connection is always ours.
 */
export function idField<K extends IdKind>(field: string, kind: K, value: unknown): IdOf<K> {
  // What is an id of the kind is neither blank nor a placeholder, whose texts are shorter than any id, nor a UUID.
  if (isId(kind, value)) return value;
  const text = realText(field, value);
  try {
    if (isMappable(kind) && isUuid(text)) return idFromUuid(kind, text);
    return parseIdAs(kind, text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/\.$/, '') : 'unreadable';
    const also = isMappable(kind) ? '; a UUID would do, too' : '';
    throw fieldError('FIELD_INVALID', field, `is refused: ${why}${also}`, cause);
  }
}

/** The session id, in whatever form its issuer gave it. */
export function sessionField(value: unknown): string {
  return shortText('sessionId', realText('sessionId', value), MAX_SESSION_ID_CHARS);
}

/** The name of an operation. It is no identity: any word will do. */
export function operationField(value: unknown): string {
  return shortText('operation', textField('operation', value), MAX_OPERATION_CHARS);
}

/** The field as an instant. */
export function instantField(field: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  const got = typeof value === 'number' ? value : `a value of type ${typeof value}`;
  throw fieldError('FIELD_INVALID', field, `must be epoch milliseconds, got ${got}`);
}

function realText(field: string, value: unknown): string {
  const text = textField(field, value);
  if (!isPlaceholder(text)) return text;
  const shown = JSON.stringify(text.slice(0, MAX_SHOWN_CHARS));
  throw fieldError('FIELD_PLACEHOLDER', field, `must name someone or something real, got ${shown}`);
}

function textField(field: string, value: unknown): string {
  if (typeof value !== 'string') {
    throw fieldError('FIELD_BLANK', field, `must be a text, got ${value === null ? 'null' : typeof value}`);
  }
  if (value.trim() === '') throw fieldError('FIELD_BLANK', field, 'must not be blank');
  return value;
}

function shortText(field: string, text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  throw fieldError('FIELD_INVALID', field, `must be at most ${maxChars} characters, got ${text.length}`);
}

function isMappable(kind: IdKind): kind is 'user' | 'thread' {
  return kind === 'user' || kind === 'thread';
}
