import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { idFromUuid, isId, isUuid, parseId, userIdFromSubject } from '../src/index.js';
import { sha256Hex } from '../src/sha256.js';

const UUID = '0198c3f1-7a2b-7c4d-8e5f-0123456789ab';
const NIL = '00000000-0000-0000-0000-000000000000';
const MAX = 'FFFFFFFF-ffff-ffff-ffff-ffffffffffff';

describe('idFromUuid', () => {
  it('[CX-8] pins the id of a UUID, because ids are stored', () => {
    expect(idFromUuid('user', UUID)).toBe('usr_u03eifjuz2h3ftoeccfrnh9dij');
    expect(idFromUuid('thread', UUID)).toBe('thr_u03eifjuz2h3ftoeccfrnh9dij');
  });

  it('[CX-8] property: a UUID has one valid id, which holds all of it', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.constantFrom('user' as const, 'thread' as const), (uuid, kind) => {
        const id = idFromUuid(kind, uuid);
        expect(id).toBe(idFromUuid(kind, uuid.toUpperCase()));
        expect(isId(kind, id)).toBe(true);
        expect(parseId(id)).toMatchObject({ kind, id, origin: 'uuid', createdAtMs: undefined });
        expect(uuidOf(id)).toBe(uuid);
      }),
    );
  });

  it.each([
    NIL,
    MAX,
    '',
    'no',
    UUID.slice(1),
    `${UUID}0`,
    `{${UUID}}`,
    UUID.replaceAll('-', ''),
    `${UUID}\n`,
  ])('refuses %j', (text) => {
    expect(isUuid(text)).toBe(false);
    expect(() => idFromUuid('user', text)).toThrow(expect.objectContaining({ code: 'INVALID_UUID' }));
  });

  it('refuses what is no text', () => {
    expect(isUuid(undefined)).toBe(false);
    expect(() => idFromUuid('user', 7 as never)).toThrow('got a value of type number');
  });
});

describe('userIdFromSubject', () => {
  it('[CX-8] pins the id of a subject, because ids are stored', () => {
    const foreign = { issuer: 'https://login.example', subject: 'auth0|507f1f77' };
    const text = 'runwire:subject:21:https://login.example:14:auth0|507f1f77';
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 32);
    expect(userIdFromSubject(foreign)).toBe(`usr_s${BigInt(`0x${digest}`).toString(36).padStart(25, '0')}`);
    expect(userIdFromSubject(foreign)).toBe('usr_s3qpegcscnfblnrilobojhxo0z');
  });

  it('[CX-8] property: the same pair has the same valid id, another pair another', () => {
    const text = fc
      .string({ minLength: 1, maxLength: 30, unit: 'binary' })
      .filter((value) => value.trim() !== '');
    fc.assert(
      fc.property(text, text, text, (issuer, subject, other) => {
        const id = userIdFromSubject({ issuer, subject });
        expect(id).toBe(userIdFromSubject({ issuer, subject }));
        expect(isId('user', id)).toBe(true);
        expect(parseId(id)).toMatchObject({ kind: 'user', origin: 'subject', createdAtMs: undefined });
        expect(userIdFromSubject({ issuer, subject: `${subject}${other}` })).not.toBe(id);
        expect(userIdFromSubject({ issuer: `${issuer}${other}`, subject })).not.toBe(id);
      }),
    );
  });

  it('[CX-8] moves no character between issuer and subject unnoticed', () => {
    const one = userIdFromSubject({ issuer: 'https://a', subject: ':1:b' });
    const other = userIdFromSubject({ issuer: 'https://a:1', subject: ':b' });
    expect(one).not.toBe(other);
  });

  it.each([
    ['issuer', { issuer: '', subject: 'a' }],
    ['issuer', { issuer: ' \t', subject: 'a' }],
    ['subject', { issuer: 'https://a', subject: '' }],
    ['subject', { issuer: 'https://a', subject: undefined as never }],
    ['subject', { issuer: 'https://a', subject: 'x'.repeat(2_049) }],
  ])('refuses a missing, blank or endless %s', (field, foreign) => {
    expect(() => userIdFromSubject(foreign)).toThrow(
      expect.objectContaining({ code: 'INVALID_SUBJECT', details: { field } }),
    );
  });

  it('takes a subject of 2,048 characters', () => {
    expect(isId('user', userIdFromSubject({ issuer: 'https://a', subject: 'x'.repeat(2_048) }))).toBe(true);
  });
});

describe('sha256Hex', () => {
  it('property: agrees with the host on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(sha256Hex(bytes)).toBe(createHash('sha256').update(bytes).digest('hex'));
      }),
      { numRuns: 300 },
    );
  });

  it.each([0, 55, 56, 63, 64, 65, 119, 120, 10_000])('agrees with the host at %i bytes', (length) => {
    const bytes = Uint8Array.from({ length }, (_, index) => index % 251);
    expect(sha256Hex(bytes)).toBe(createHash('sha256').update(bytes).digest('hex'));
  });
});

function uuidOf(id: string): string {
  let value = 0n;
  for (const digit of id.slice('usr_u'.length)) value = value * 36n + BigInt(Number.parseInt(digit, 36));
  const hex = value.toString(16).padStart(32, '0');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
