import { describe, expect, it } from '@jest/globals';
import { idFromUuid, isId } from '@runwire/id-generation';
import fc from 'fast-check';
import { createRequestContext, UserExecutionContext } from '../src/index.js';
import { ids, refusal, validFields } from './identities.js';

const UUID = '0198c3f1-7a2b-7c4d-8e5f-0123456789ab';
const ID_FIELDS = ['userId', 'threadId', 'runId', 'requestId', 'connectionId'] as const;
const TEXT_FIELDS = [...ID_FIELDS, 'sessionId'] as const;
const WORDS = [
  'registry',
  'placeholder',
  'default',
  'temp',
  'none',
  'null',
  'undefined',
  '0',
  '1',
  'xxx',
  'yyy',
  'example',
  'test',
  'demo',
  'sample',
  'template',
  'mock',
  'fake',
  'dummy',
];
const PREFIXES = [
  'placeholder_',
  'registry_',
  'temp_',
  'example_',
  'demo_',
  'sample_',
  'template_',
  'mock_',
  'fake_',
  'default_',
  'test_',
];

function make(fields: object): unknown {
  return UserExecutionContext.fromRequest({ ...validFields(), ...fields });
}

describe('fromRequest', () => {
  it('[CX-1] takes user, thread and run, and needs no more than these and the request', () => {
    const { userId, threadId, runId, requestId } = validFields();
    const context = UserExecutionContext.fromRequest({ userId, threadId, runId, requestId });
    expect({ ...context }).toEqual({ userId, threadId, runId, requestId, depth: 0 });
    expect(Object.keys(context)).not.toContain('sessionId');
  });

  it('keeps every field that it is given', () => {
    const fields = validFields();
    expect({ ...UserExecutionContext.fromRequest(fields) }).toEqual({ ...fields, depth: 0 });
  });

  describe.each(TEXT_FIELDS)('%s', (field) => {
    it.each(['', ' ', '\t\n', '\u00a0', null, 7, {}, []])('[CX-1] refuses the blank %j by name', (value) => {
      expect(refusal(() => make({ [field]: value }))).toMatchObject({ code: 'FIELD_BLANK', field });
      expect(refusal(() => make({ [field]: value })).message).toContain(field);
    });

    it.each(WORDS)('[CX-2] refuses the placeholder %s in any case', (word) => {
      for (const text of [
        word,
        word.toUpperCase(),
        word.slice(0, 1).toUpperCase() + word.slice(1),
        ` ${word}\n`,
      ]) {
        expect(refusal(() => make({ [field]: text }))).toMatchObject({ code: 'FIELD_PLACEHOLDER', field });
      }
    });

    it.each(PREFIXES)('[CX-2] refuses %s… below 20 characters', (prefix) => {
      const longest = prefix.padEnd(19, 'k');
      for (const text of [prefix, `${prefix}u`, longest, longest.toUpperCase()]) {
        expect(refusal(() => make({ [field]: text }))).toMatchObject({ code: 'FIELD_PLACEHOLDER', field });
      }
    });
  });

  it.each(['userId', 'threadId', 'runId', 'requestId'])('[CX-1] refuses a missing %s by name', (field) => {
    expect(refusal(() => make({ [field]: undefined }))).toMatchObject({ code: 'FIELD_BLANK', field });
  });

  it('[CX-2] takes what only begins with a placeholder from 20 characters on, or without the underscore', () => {
    for (const sessionId of ['test_'.padEnd(20, 'k'), 'testing', 'demos', 'template-7', '00', '10', 'xxxx']) {
      expect(createRequestContext({ ...validFields(), sessionId }).sessionId).toBe(sessionId);
    }
  });

  it('[CX-2] property: a placeholder is refused with any casing and padding', () => {
    const word = fc.constantFrom(...WORDS, ...PREFIXES.map((prefix) => `${prefix}user`));
    const spelled = word.chain((text) =>
      fc
        .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
        .map((upper) =>
          text.replaceAll(/./g, (char, at: number) => (upper[at] === true ? char.toUpperCase() : char)),
        ),
    );
    const space = fc.constantFrom('', ' ', '\t ', '\n');
    fc.assert(
      fc.property(fc.constantFrom(...TEXT_FIELDS), space, spelled, space, (field, before, text, after) => {
        expect(refusal(() => make({ [field]: before + text + after })).code).toBe('FIELD_PLACEHOLDER');
      }),
    );
  });

  it.each(ID_FIELDS)('refuses a malformed %s and an id of another kind', (field) => {
    const other = field === 'userId' ? ids.eventId() : ids.userId();
    for (const text of [other, 'someone', 'x'.repeat(500), `${other}0`]) {
      const { code, field: named, message } = refusal(() => make({ [field]: text }));
      expect([code, named]).toEqual(['FIELD_INVALID', field]);
      expect(message.length).toBeLessThan(260);
    }
  });

  it('keeps the cause of a refused id', () => {
    expect(() => make({ runId: 'run_1' })).toThrow(
      expect.objectContaining({ cause: expect.objectContaining({ code: 'INVALID_ID' }) }),
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, '7', null])('refuses the instant %p', (createdAtMs) => {
    expect(refusal(() => make({ createdAtMs }))).toMatchObject({
      code: 'FIELD_INVALID',
      field: 'createdAtMs',
    });
  });

  it('limits a session id to 128 characters', () => {
    expect(refusal(() => make({ sessionId: 's'.repeat(129) }))).toMatchObject({
      code: 'FIELD_INVALID',
      field: 'sessionId',
    });
    const sessionId = 's'.repeat(128);
    expect(createRequestContext({ ...validFields(), sessionId }).sessionId).toBe(sessionId);
  });
});

describe('run and thread', () => {
  it('[ID-3] refuses a run of another thread', () => {
    const runId = ids.runId(ids.threadId());
    const threadId = ids.threadId();
    expect(refusal(() => make({ threadId, runId }))).toMatchObject({
      code: 'RUN_THREAD_MISMATCH',
      field: 'runId',
    });
    const request = createRequestContext(validFields());
    expect(refusal(() => request.forRun({ threadId, runId })).code).toBe('RUN_THREAD_MISMATCH');
    const run = UserExecutionContext.fromRequest(validFields());
    expect(refusal(() => run.forRun({ threadId, runId })).code).toBe('RUN_THREAD_MISMATCH');
  });

  it('[ID-3] property: of two threads a run is taken for its own only', () => {
    const threads = Array.from({ length: 4 }, () => ids.threadId());
    fc.assert(
      fc.property(fc.constantFrom(...threads), fc.constantFrom(...threads), (mine, other) => {
        const runId = ids.runId(mine);
        if (mine === other) expect(make({ threadId: mine, runId })).toMatchObject({ threadId: mine, runId });
        else expect(refusal(() => make({ threadId: other, runId })).code).toBe('RUN_THREAD_MISMATCH');
      }),
    );
  });
});

describe('foreign ids', () => {
  it('[CX-8] a UUID stands for a user and for a thread, always the same', () => {
    const threadId = idFromUuid('thread', UUID);
    const fields = { userId: UUID, threadId: UUID.toUpperCase(), runId: ids.runId(threadId) };
    expect(make(fields)).toMatchObject({ userId: idFromUuid('user', UUID), threadId, runId: fields.runId });
    const request = createRequestContext({ userId: UUID, requestId: ids.requestId() });
    expect(isId('user', request.userId)).toBe(true);
    expect(request.forRun({ threadId: UUID, runId: fields.runId }).threadId).toBe(threadId);
  });

  it('[CX-8] a run, a request and a connection are always ours', () => {
    for (const field of ['runId', 'requestId', 'connectionId']) {
      expect(refusal(() => make({ [field]: UUID }))).toMatchObject({ code: 'FIELD_INVALID', field });
    }
  });

  it('[CX-8] the nil UUID names nobody', () => {
    const nil = '00000000-0000-0000-0000-000000000000';
    expect(refusal(() => make({ userId: nil }))).toMatchObject({ code: 'FIELD_INVALID', field: 'userId' });
  });
});
