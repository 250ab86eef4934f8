import { describe, expect, it } from '@jest/globals';
import type { Readiness } from '../src/index.js';
import type { MemoryUpgrade } from '../src/testing/index.js';
import { createFixture, liveCounts } from './support/fixture.js';

const BAD_PATH = { url: '/other' };
const BAD_ORIGIN = { origin: 'https://evil.example' };
const BAD_PROTOCOL = { 'sec-websocket-protocol': 'chat' };
const NOT_READY: Readiness = { ready: false, message: 'starting', retryAfterMs: 1_500 };
const FULL = { kind: 'refused', message: 'full', retryAfterMs: 2_000 } as const;

const refusalOf = (
  upgrade: MemoryUpgrade,
  world: { readonly ready?: boolean; readonly full?: boolean; readonly origins?: readonly string[] } = {},
) => {
  const fixture = createFixture(
    {
      ...(world.ready === false ? { readiness: () => NOT_READY } : {}),
      ...(world.full === true ? { admission: { reserve: () => FULL } } : {}),
    },
    world.origins === undefined ? {} : { allowedOrigins: world.origins },
  );
  const connected = fixture.server.connect(upgrade);
  return { answer: connected.kind === 'refused' ? connected.answer : undefined, fixture };
};

const statusOf = (...args: Parameters<typeof refusalOf>) => refusalOf(...args).answer?.status;

describe('upgrade', () => {
  it('[WS-1] is checked in the order path, readiness, origin, subprotocol, limits', () => {
    const headers = { ...BAD_ORIGIN, ...BAD_PROTOCOL };
    expect(statusOf({ ...BAD_PATH, headers }, { ready: false, full: true })).toBe(404);
    expect(statusOf({ headers }, { ready: false, full: true })).toBe(503);
    expect(statusOf({ headers }, { full: true })).toBe(403);
    expect(statusOf({ headers: BAD_PROTOCOL }, { full: true })).toBe(400);
    expect(statusOf({}, { full: true })).toBe(429);
    expect(statusOf({})).toBeUndefined();
  });

  it('[WS-2] before the server is ready answers 503 with Retry-After and asks no port further', () => {
    const { answer, fixture } = refusalOf({}, { ready: false });
    expect(answer?.headers['retry-after']).toBe('2');
    expect(JSON.parse(answer?.body ?? '')).toEqual({ error: { code: 'NOT_READY', message: 'starting' } });
    expect(fixture.places.held).toBe(0);
    expect(fixture.server.stats().refused).toEqual({ readiness: 1 });
  });

  it('answers a full house with 429, Retry-After and a JSON body', () => {
    const { answer } = refusalOf({}, { full: true });
    expect(answer?.headers).toMatchObject({
      'retry-after': '2',
      'content-type': 'application/json; charset=utf-8',
    });
    expect(JSON.parse(answer?.body ?? '')).toEqual({ error: { code: 'RATE_LIMITED', message: 'full' } });
  });

  it('[AU-5] allows the same origin and no origin, and refuses others', () => {
    const host = 'app.example:8443';
    expect(statusOf({ headers: { host, origin: `https://${host}` } })).toBeUndefined();
    expect(statusOf({ headers: { host } })).toBeUndefined();
    for (const origin of [
      'https://app.example',
      'https://app.example:1',
      'null',
      '',
      'not an origin',
      'file://',
    ]) {
      expect(statusOf({ headers: { host, origin } })).toBe(403);
    }
  });

  it('[AU-5] with an allow-list takes its origins and no others, the same one included', () => {
    const origins = ['https://one.example/'];
    expect(statusOf({ headers: { origin: 'https://one.example' } }, { origins })).toBeUndefined();
    expect(statusOf({ headers: { origin: 'http://one.example' } }, { origins })).toBe(403);
    expect(statusOf({ headers: { host: 'a.example', origin: 'https://a.example' } }, { origins })).toBe(403);
  });

  it('accepts runwire.v1 among others, and no offer at all', () => {
    const offer = { 'sec-websocket-protocol': 'bearer.abc, runwire.v1' };
    expect(statusOf({ headers: offer })).toBeUndefined();
    expect(statusOf({ headers: { 'sec-websocket-protocol': 'bearer.abc' } })).toBe(400);
  });

  it('answers 500 and takes no place when a port throws', () => {
    const fixture = createFixture({
      readiness: () => {
        throw new Error('secret cause');
      },
    });
    const connected = fixture.server.connect();
    expect(connected).toMatchObject({ kind: 'refused', answer: { status: 500 } });
    expect(JSON.stringify(connected)).not.toContain('secret');
    expect(fixture.server.probe().status).toBe(500);
    expect(liveCounts(fixture).every((count) => count === 0)).toBe(true);
  });
});

describe('probe', () => {
  it('answers what an upgrade would be answered, and 426 when it would be accepted', () => {
    const fixture = createFixture();
    expect(fixture.server.probe(BAD_PATH).status).toBe(404);
    expect(fixture.server.probe({ headers: BAD_ORIGIN }).status).toBe(403);
    expect(fixture.server.probe({ headers: BAD_PROTOCOL }).status).toBe(400);
    const accepted = fixture.server.probe();
    expect(accepted.status).toBe(426);
    expect(accepted.headers['upgrade']).toBe('websocket');
  });

  it('gives its place back at once', () => {
    const fixture = createFixture();
    for (let times = 0; times < 100; times += 1) fixture.server.probe();
    expect(fixture.places.held).toBe(0);
  });
});
