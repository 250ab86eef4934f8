import type { IdKind } from './contract.js';

/** The prefix of each kind. Part of every stored id: an entry may be added, none may change. */
export const PREFIX = Object.freeze({
  user: 'usr',
  thread: 'thr',
  run: 'run',
  session: 'ses',
  request: 'req',
  connection: 'con',
  message: 'msg',
  event: 'evt',
  toolCall: 'tcl',
} satisfies Record<IdKind, string>);

export const KIND_BY_PREFIX: ReadonlyMap<string, IdKind> = new Map(
  (Object.keys(PREFIX) as IdKind[]).map((kind) => [PREFIX[kind], kind]),
);

export const RADIX = 36;
export const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';
export const TIME_DIGITS = 9;
export const NODE_DIGITS = 8;
export const COUNTER_DIGITS = 5;
export const PREFIX_LENGTH = 4;

/** A mapped id's marker and 128 bits. Its length alone tells it from an own id's 22 digits. */
export const UUID_MARK = 'u';
export const SUBJECT_MARK = 's';
const MAPPED_DIGITS = 25;
const MAX_MAPPED = (2n ** 128n - 1n).toString(RADIX);

const OWN = `[0-9a-z]{${TIME_DIGITS + NODE_DIGITS + COUNTER_DIGITS}}`;
const MAPPED = `[0-9a-z]{${MAPPED_DIGITS}}`;
const THREAD_KEY = `${OWN}|${UUID_MARK}${MAPPED}`;

const SHAPE: Readonly<Record<IdKind, RegExp>> = Object.freeze({
  user: new RegExp(`^usr_(${OWN}|[${UUID_MARK}${SUBJECT_MARK}]${MAPPED})$`),
  thread: new RegExp(`^thr_(${THREAD_KEY})$`),
  run: new RegExp(`^run_(${OWN})_(${THREAD_KEY})$`),
  session: new RegExp(`^ses_(${OWN})$`),
  request: new RegExp(`^req_(${OWN})$`),
  connection: new RegExp(`^con_(${OWN})$`),
  message: new RegExp(`^msg_(${OWN})$`),
  event: new RegExp(`^evt_(${OWN})$`),
  toolCall: new RegExp(`^tcl_(${OWN})$`),
});

/** The parts after the prefix, or `undefined` when `text` is no id of `kind`. */
export function matchId(
  kind: IdKind,
  text: unknown,
): { body: string; threadKey: string | undefined } | undefined {
  if (typeof text !== 'string') return undefined;
  const [, body, threadKey] = SHAPE[kind].exec(text) ?? [];
  if (body === undefined || !isCanonical(body) || !isCanonical(threadKey)) return undefined;
  return { body, threadKey };
}

/** True for the body of a mapped id: a mark and 25 digits. */
export function isMapped(body: string): boolean {
  return body.length === MAPPED_DIGITS + 1;
}

/** 128 bits, given as 32 hexadecimal digits, as the 25 digits of a mapped id. */
export function mappedDigits(hex: string): string {
  return BigInt(`0x${hex}`).toString(RADIX).padStart(MAPPED_DIGITS, '0');
}

// 25 digits hold a little more than 128 bits; what lies above was never mapped from anything.
function isCanonical(body: string | undefined): boolean {
  return body === undefined || !isMapped(body) || body.slice(1) <= MAX_MAPPED;
}
