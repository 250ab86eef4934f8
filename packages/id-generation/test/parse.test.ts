import { describe, expect, it } from '@jest/globals';
import { createManualClock } from '@runwire/kernel/testing';
import fc from 'fast-check';
import type { IdKind, ThreadId } from '../src/index.js';
import {
  createIdGenerator,
  IdError,
  idFromUuid,
  isId,
  isRunOf,
  parseId,
  parseIdAs,
  threadKeyOf,
} from '../src/index.js';

const START_MS = Date.UTC(2026, 0, 1);
const BODY = '0mjv5k8003k1z9q7a0000a';
const UUID = '0198c3f1-7a2b-7c4d-8e5f-0123456789ab';
const KINDS: readonly IdKind[] = [
  'user',
  'thread',
  'run',
  'session',
  'request',
  'connection',
  'message',
  'event',
  'toolCall',
];

const ids = createIdGenerator({ clock: createManualClock(START_MS) });
const threadId = ids.threadId();
const SAMPLE: Readonly<Record<IdKind, string>> = {
  user: ids.userId(),
  thread: threadId,
  run: ids.runId(threadId),
  session: ids.sessionId(),
  request: ids.requestId(),
  connection: ids.connectionId(),
  message: ids.messageId(),
  event: ids.eventId(),
  toolCall: ids.toolCallId(),
};

function failure(run: () => unknown): IdError {
  try {
    run();
  } catch (error) {
    if (error instanceof IdError) return error;
  }
  throw new Error('Expected an IdError.');
}

describe('parseId', () => {
  it.each(KINDS)('[ID-2] gives kind and creation time of a %s id', (kind) => {
    const parsed = parseId(SAMPLE[kind]);
    expect(parsed).toEqual({
      kind,
      id: SAMPLE[kind],
      origin: 'own',
      createdAtMs: START_MS,
      threadKey: kind === 'run' ? threadId.slice(4) : undefined,
    });
    expect(Object.isFrozen(parsed)).toBe(true);
  });

  it('[ID-2] property: every id made at an instant parses back to its kind and that instant', () => {
    const kind = fc.constantFrom(...KINDS);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 36 ** 9 - 1 }), kind, fc.nat(3_000), (atMs, wanted, before) => {
        const generator = createIdGenerator({ clock: createManualClock(atMs) });
        for (let n = 0; n < before; n += 1) generator.eventId();
        const made = wanted === 'run' ? generator.runId(threadId) : generator[`${wanted}Id` as 'eventId']();
        const parsed = parseId(made);
        expect(parsed.kind).toBe(wanted);
        expect(parsed.createdAtMs).toBe(atMs);
        expect(made.length).toBeLessThanOrEqual(64);
        expect(isId(wanted, made)).toBe(true);
      }),
    );
  });

  const malformed: readonly (readonly [string, unknown])[] = [
    ['nothing', undefined],
    ['null', null],
    ['a number', 7],
    ['an object', { toString: () => SAMPLE.user }],
    ['an empty text', ''],
    ['no prefix', BODY],
    ['an unknown prefix', `abc_${BODY}`],
    ['a prefix alone', 'thr_'],
    ['one digit less', `thr_${BODY.slice(1)}`],
    ['one digit more', `thr_${BODY}0`],
    ['upper case', `thr_${BODY.toUpperCase()}`],
    ['an upper-case prefix', `THR_${BODY}`],
    ['a sign between the digits', `thr_${BODY.slice(1)}-`],
    ['a line end', `thr_${BODY}\n`],
    ['a space in front', ` thr_${BODY}`],
    ['a run without a thread', `run_${BODY}`],
    ['a run with an empty thread', `run_${BODY}_`],
    ['a run with two threads', `run_${BODY}_${BODY}_${BODY}`],
    ['a thread that carries a key', `thr_${BODY}_${BODY}`],
    ['a mapped run', `run_u${'0'.repeat(25)}_${BODY}`],
    ['a mapped request', `req_u${'0'.repeat(25)}`],
    ['a thread mapped from a subject', `thr_s${'0'.repeat(25)}`],
    ['an unknown kind of mapping', `usr_v${'0'.repeat(25)}`],
    ['a mapped id above 128 bits', 'usr_uf5lxx1zz5pnorynqglhzmsp34'],
    ['a UUID', UUID],
  ];

  it.each(malformed)('[ID-2] refuses %s and says what was expected', (_, text) => {
    const error = failure(() => parseId(text));
    expect(error.code).toBe('INVALID_ID');
    expect(error.message).toMatch(/^Expected an? .*(?:_ and 22 of 0-9 a-z|usr_ thr_ run_).*, got .*\.$/);
    expect(KINDS.filter((kind) => isId(kind, text))).toEqual([]);
  });

  it('takes the largest mapped id there is', () => {
    expect(parseId('usr_uf5lxx1zz5pnorynqglhzmsp33').origin).toBe('uuid');
  });

  it('property: takes any value, and shows at most 64 characters of it on one line', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.string({ maxLength: 300, unit: 'binary' })), (value) => {
        const { message } = failure(() => parseId(value));
        const shown = message.slice(message.indexOf('got ') + 4, -1);
        expect(shown.length).toBeLessThanOrEqual(64);
        expect(shown).not.toMatch(/[\n\r]/);
      }),
      { numRuns: 500 },
    );
  });

  it('shows exactly what came when it is short, and its beginning when it is long', () => {
    expect(failure(() => parseId('thr_1')).message).toMatch(/got "thr_1"\.$/);
    expect(failure(() => parseId('x'.repeat(63))).message).toMatch(/got "x{61}…"\.$/);
    expect(failure(() => parseId('x'.repeat(62))).message).toMatch(/got "x{62}"\.$/);
    expect(failure(() => parseId('"'.repeat(62))).message).toMatch(/…"\.$/);
  });
});

describe('parseIdAs', () => {
  it.each(KINDS)('returns a %s id as it is and refuses every other kind', (kind) => {
    expect(parseIdAs(kind, SAMPLE[kind])).toBe(SAMPLE[kind]);
    for (const other of KINDS.filter((name) => name !== kind)) {
      const error = failure(() => parseIdAs(kind, SAMPLE[other]));
      expect(error).toMatchObject({ code: 'WRONG_KIND', details: { expected: kind, actual: other } });
    }
  });

  it('[ID-2] tells what was expected from what came', () => {
    const made = `usr_${BODY}`;
    expect(failure(() => parseIdAs('thread', made)).message).toBe(
      `Expected a thread id (thr_ and 22 of 0-9 a-z), got the user id "${made}".`,
    );
    expect(failure(() => parseIdAs('run', 'usr_1')).message).toBe(
      'Expected a run id (run_ and 22 of 0-9 a-z, then _ and the key of its thread), got "usr_1".',
    );
    expect(failure(() => parseIdAs('event', 'evt_')).code).toBe('INVALID_ID');
  });
});

describe('isId', () => {
  it.each(KINDS)('is true for a %s id under its own kind only', (kind) => {
    expect(KINDS.filter((other) => isId(other, SAMPLE[kind]))).toEqual([kind]);
  });

  it('[ID-2] narrows the type', () => {
    const text: unknown = SAMPLE.thread;
    if (!isId('thread', text)) throw new Error('A thread id is none.');
    const narrowed: ThreadId = text;
    expect(narrowed).toBe(SAMPLE.thread);
  });
});

describe('a run and its thread', () => {
  it('[ID-3] the run id carries the key of its thread', () => {
    const run = ids.runId(threadId);
    expect(threadKeyOf(run)).toBe(threadId.slice(4));
    expect(isRunOf(run, threadId)).toBe(true);
  });

  it('[ID-3] property: a run belongs to the one thread it was made for', () => {
    const thread = fc.oneof(
      fc.constantFrom(...Array.from({ length: 5 }, () => ids.threadId())),
      mappedThread(),
    );
    fc.assert(
      fc.property(thread, thread, (mine, other) => {
        const run = ids.runId(mine);
        expect(isRunOf(run, mine)).toBe(true);
        expect(isRunOf(run, other)).toBe(mine === other);
        expect(run.length).toBeLessThanOrEqual(64);
      }),
    );
  });

  it('[ID-3] a malformed or mistaken id proves nothing', () => {
    const run = ids.runId(threadId);
    expect(isRunOf(run, threadId.slice(4))).toBe(false);
    expect(isRunOf(run, SAMPLE.user)).toBe(false);
    expect(isRunOf(`${run}0`, threadId)).toBe(false);
    expect(isRunOf(threadId, threadId)).toBe(false);
    expect(isRunOf('', '')).toBe(false);
    expect(failure(() => threadKeyOf(threadId)).code).toBe('WRONG_KIND');
    expect(failure(() => threadKeyOf('run_')).code).toBe('INVALID_ID');
  });
});

function mappedThread(): fc.Arbitrary<ThreadId> {
  return fc.uuid().map((uuid) => idFromUuid('thread', uuid));
}
