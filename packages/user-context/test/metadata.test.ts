import { describe, expect, it } from '@jest/globals';
import { idFromUuid } from '@runwire/id-generation';
import fc from 'fast-check';
import { createRequestContext, type RequestContext, UserExecutionContext } from '../src/index.js';
import { ids, refusal, validFields } from './identities.js';

const UUID = '0198c3f1-7a2b-7c4d-8e5f-0123456789ab';
const RESERVED = ['userId', 'threadId', 'runId', 'requestId', 'connectionId', 'createdAt'];

function withMetadata(metadata: unknown, userId: string = ids.userId()): RequestContext {
  return createRequestContext({ userId, requestId: ids.requestId(), metadata: metadata as never });
}

describe('metadata', () => {
  it.each(RESERVED)('[CX-4] refuses the reserved key %s, whatever its value', (key) => {
    const userId = ids.userId();
    for (const value of [userId, 'x', 1, null]) {
      expect(refusal(() => withMetadata({ ok: 1, [key]: value }, userId))).toMatchObject({
        code: 'METADATA_RESERVED',
        field: `metadata.${key}`,
      });
    }
    expect(
      refusal(() => UserExecutionContext.fromRequest({ ...validFields(), metadata: { [key]: 1 } })).code,
    ).toBe('METADATA_RESERVED');
  });

  it.each(['userId', 'user_id', 'userID', 'user-id', 'USER_ID'])(
    '[CX-4] refuses another user under a nested %s',
    (key) => {
      for (const value of [ids.userId(), 'someone', 7, null, UUID]) {
        expect(refusal(() => withMetadata({ a: [{ b: { [key]: value } }] }))).toMatchObject({
          code: 'METADATA_FOREIGN_USER',
          field: `metadata.a.0.b.${key}`,
        });
      }
    },
  );

  it('[CX-4] refuses another user under user_id at the top', () => {
    expect(refusal(() => withMetadata({ user_id: ids.userId() })).code).toBe('METADATA_FOREIGN_USER');
  });

  it('[CX-4] takes the same user inside, also as the UUID it was mapped from', () => {
    const userId = ids.userId();
    expect(withMetadata({ owner: { userId } }, userId).metadata).toEqual({ owner: { userId } });
    const mapped = idFromUuid('user', UUID);
    expect(withMetadata({ owner: { userId: UUID } }, mapped).metadata).toEqual({ owner: { userId: UUID } });
  });

  it('[CX-4] property: finds another user at any depth', () => {
    const step = fc.oneof(fc.constant('[]'), fc.stringMatching(/^[a-c]{1,3}$/));
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (path) => {
        const inner: unknown = { userId: ids.userId() };
        const metadata = path.reduceRight(
          (value, key) => (key === '[]' ? [1, value] : { [key]: value }),
          inner,
        );
        expect(refusal(() => withMetadata({ at: metadata })).code).toBe('METADATA_FOREIGN_USER');
      }),
    );
  });

  it('takes JSON and leaves out what is undefined', () => {
    const metadata = { a: 'x', b: 1.5, c: true, d: null, e: [[], {}], f: { g: '' } };
    expect(withMetadata({ ...metadata, h: undefined }).metadata).toEqual(metadata);
    expect(Object.keys(withMetadata({ h: undefined }).metadata ?? { none: 1 })).toEqual([]);
  });

  it('keeps a key __proto__ as a key', () => {
    const metadata = withMetadata(JSON.parse('{"__proto__": {"admin": true}}')).metadata;
    expect(Object.keys(metadata ?? {})).toEqual(['__proto__']);
    expect((metadata as { admin?: unknown }).admin).toBeUndefined();
  });

  const strange: readonly (readonly [string, unknown])[] = [
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['an instance', new (class Session {})()],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a bigint', 1n],
    ['not a number', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['a promise', Promise.resolve()],
  ];

  it.each(strange)('refuses %s, which cannot be frozen or sent', (_, value) => {
    expect(refusal(() => withMetadata({ list: [value] }))).toMatchObject({
      code: 'METADATA_INVALID',
      field: 'metadata.list.0',
    });
  });

  it('refuses holes and undefined in a list', () => {
    expect(refusal(() => withMetadata({ list: [undefined] })).code).toBe('METADATA_INVALID');
    const holes: number[] = [];
    holes.length = 2;
    expect(refusal(() => withMetadata({ list: holes })).code).toBe('METADATA_INVALID');
  });

  it.each([null, 7, 'text', [], new Map()])('refuses %p in place of an object', (metadata) => {
    expect(refusal(() => withMetadata(metadata))).toMatchObject({
      code: 'METADATA_INVALID',
      field: 'metadata',
    });
  });

  it('refuses what contains itself', () => {
    const loop: Record<string, unknown> = {};
    loop['again'] = loop;
    expect(refusal(() => withMetadata(loop))).toMatchObject({ code: 'METADATA_INVALID', field: 'metadata' });
  });

  it('takes 16 levels and refuses 17', () => {
    const nested = (levels: number): unknown => (levels === 1 ? {} : { in: nested(levels - 1) });
    expect(withMetadata(nested(16)).metadata).toEqual(nested(16));
    expect(refusal(() => withMetadata(nested(17))).code).toBe('METADATA_INVALID');
  });

  it('takes 1,000 values and refuses 1,001', () => {
    expect(withMetadata({ list: ones(999) }).metadata).toBeDefined();
    expect(refusal(() => withMetadata({ list: ones(1_000) })).code).toBe('METADATA_INVALID');
  });

  it('shows at most 64 characters of the keys of a refused value', () => {
    const { field } = refusal(() => withMetadata({ ['k'.repeat(5_000)]: () => 1 }));
    expect(String(field).length).toBe(64);
  });
});

function ones(length: number): readonly number[] {
  return Array.from({ length }, () => 1);
}
