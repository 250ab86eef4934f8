import type { IdKind, IdOf, ParsedId } from './contract.js';
import { IdError, shown } from './errors.js';
import {
  COUNTER_DIGITS,
  isMapped,
  KIND_BY_PREFIX,
  matchId,
  NODE_DIGITS,
  PREFIX,
  PREFIX_LENGTH,
  RADIX,
  TIME_DIGITS,
  UUID_MARK,
} from './format.js';

/**
 * Takes an id of any kind apart.
 *
 * @throws IdError `INVALID_ID`
 */
export function parseId(text: unknown): ParsedId {
  const kind = kindOf(text);
  if (kind === undefined) {
    const prefixes = Object.values(PREFIX).map((prefix) => `${prefix}_`);
    throw invalid(`an id that starts with one of ${prefixes.join(' ')}`, text);
  }
  const match = matchId(kind, text);
  if (match === undefined) throw invalid(shapeOf(kind), text);
  const mapped = isMapped(match.body);
  return Object.freeze({
    kind,
    id: text as IdOf<IdKind>,
    origin: mapped ? originOf(match.body) : 'own',
    createdAtMs: mapped ? undefined : Number.parseInt(match.body.slice(0, TIME_DIGITS), RADIX),
    threadKey: match.threadKey,
  });
}

/**
 * Returns `text` as an id of `kind`.
 *
 * @throws IdError `WRONG_KIND` for a valid id of another kind, else `INVALID_ID`
 */
export function parseIdAs<K extends IdKind>(kind: K, text: unknown): IdOf<K> {
  if (isId(kind, text)) return text;
  const actual = kindOf(text);
  if (actual === undefined || actual === kind || !isId(actual, text)) throw invalid(shapeOf(kind), text);
  throw new IdError('WRONG_KIND', `Expected ${shapeOf(kind)}, got the ${NOUN[actual]} id ${shown(text)}.`, {
    details: { expected: kind, actual },
  });
}

/** True when `value` is a well-formed id of `kind`. Never throws. */
export function isId<K extends IdKind>(kind: K, value: unknown): value is IdOf<K> {
  return matchId(kind, value) !== undefined;
}

/**
 * The key of the thread that a run belongs to: what follows the prefix of the thread's id.
 *
 * @throws IdError `WRONG_KIND`, `INVALID_ID` when `runId` is no run id
 */
export function threadKeyOf(runId: string): string {
  return parseIdAs('run', runId).slice(RUN_KEY_AT);
}

/** True when both are well-formed and the run belongs to the thread: the ids alone prove it. Never throws. */
export function isRunOf(runId: string, threadId: string): boolean {
  const run = matchId('run', runId);
  const thread = matchId('thread', threadId);
  return run !== undefined && thread !== undefined && run.threadKey === thread.body;
}

/** `run_`, 22 digits, `_`. */
const RUN_KEY_AT = PREFIX_LENGTH + TIME_DIGITS + NODE_DIGITS + COUNTER_DIGITS + 1;

const NOUN: Readonly<Record<IdKind, string>> = Object.freeze({
  user: 'user',
  thread: 'thread',
  run: 'run',
  session: 'session',
  request: 'request',
  connection: 'connection',
  message: 'message',
  event: 'event',
  toolCall: 'tool call',
});

function kindOf(text: unknown): IdKind | undefined {
  if (typeof text !== 'string' || text[PREFIX_LENGTH - 1] !== '_') return undefined;
  return KIND_BY_PREFIX.get(text.slice(0, PREFIX_LENGTH - 1));
}

function originOf(body: string): 'uuid' | 'subject' {
  return body.startsWith(UUID_MARK) ? 'uuid' : 'subject';
}

function shapeOf(kind: IdKind): string {
  const tail = kind === 'run' ? ', then _ and the key of its thread' : '';
  return `a ${NOUN[kind]} id (${PREFIX[kind]}_ and 22 of 0-9 a-z${tail})`;
}

function invalid(expected: string, text: unknown): IdError {
  return new IdError('INVALID_ID', `Expected ${expected}, got ${shown(text)}.`);
}
