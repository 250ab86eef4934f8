import { describe, expect, it } from '@jest/globals';
import { remoteAddressOf } from '../../src/http/app.js';
import { compose } from '../support/composed.js';

describe('the limit of requests', () => {
  const environment = { RUNWIRE_MAX_REQUESTS_PER_MINUTE: '5' };

  it('answers 429 with Retry-After above it, in the usual shape', async () => {
    await using composed = await compose({ environment });
    const { app } = composed.router;
    for (let index = 0; index < 5; index += 1) {
      expect((await app.inject({ method: 'GET', url: '/api/agents' })).statusCode).toBe(401);
    }
    const refused = await app.inject({ method: 'GET', url: '/api/agents' });
    expect(refused.statusCode).toBe(429);
    expect(refused.json().error).toMatchObject({ code: 'RATE_LIMITED' });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
  });

  it('counts a route however its address is written', async () => {
    await using composed = await compose({ environment });
    const { app } = composed.router;
    const statuses: number[] = [];
    for (let index = 0; index < 6; index += 1) {
      statuses.push((await app.inject({ method: 'GET', url: '/%61pi/agents' })).statusCode);
    }
    expect(statuses.at(-1)).toBe(429);
  });

  it('leaves health alone', async () => {
    await using composed = await compose({ environment });
    for (let index = 0; index < 20; index += 1) {
      const { statusCode } = await composed.router.app.inject({ method: 'GET', url: '/health/live' });
      expect(statusCode).toBe(200);
    }
  });

  it('is of each address: a proxy that is trusted says whose request it is', async () => {
    const from = (address: string) => ({ 'x-forwarded-for': `6.6.6.6, ${address}` });
    for (const [trust, expected] of [
      ['true', 401],
      ['false', 429],
    ] as const) {
      await using composed = await compose({ environment: { ...environment, RUNWIRE_TRUST_PROXY: trust } });
      const { app } = composed.router;
      for (let index = 0; index < 6; index += 1)
        await app.inject({ method: 'GET', url: '/api/agents', headers: from('10.0.0.1') });
      const other = await app.inject({ method: 'GET', url: '/api/agents', headers: from('10.0.0.2') });
      expect(other.statusCode).toBe(expected);
    }
  });

  it('is not evaded by what a client itself writes in front of the proxy', async () => {
    await using composed = await compose({ environment: { ...environment, RUNWIRE_TRUST_PROXY: 'true' } });
    const { app } = composed.router;
    const statuses: number[] = [];
    for (let index = 0; index < 6; index += 1) {
      const headers = { 'x-forwarded-for': `1.1.1.${index}, 10.0.0.1` };
      statuses.push((await app.inject({ method: 'GET', url: '/api/agents', headers })).statusCode);
    }
    expect(statuses.at(-1)).toBe(429);
  });
});

describe("a socket's address", () => {
  const upgrade = (forwarded: string | undefined) =>
    ({
      headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
      socket: { remoteAddress: '127.0.0.1' },
    }) as Parameters<typeof remoteAddressOf>[0];
  const table: readonly (readonly [string | undefined, boolean, string])[] = [
    [undefined, true, '127.0.0.1'],
    [undefined, false, '127.0.0.1'],
    ['10.0.0.1', true, '10.0.0.1'],
    ['10.0.0.1', false, '127.0.0.1'],
    ['6.6.6.6, 10.0.0.1', true, '10.0.0.1'],
    ['6.6.6.6,', true, '127.0.0.1'],
    ['', true, '127.0.0.1'],
  ];
  for (const [forwarded, trusted, expected] of table) {
    it(`is ${expected} for ${JSON.stringify(forwarded)} ${trusted ? 'behind a proxy' : 'without one'}`, () => {
      expect(remoteAddressOf(upgrade(forwarded), trusted)).toBe(expected);
    });
  }
});

describe('metrics', () => {
  it('answer on loopback, to whoever asks directly', async () => {
    await using composed = await compose({ environment: { RUNWIRE_TRUST_PROXY: 'true' } });
    const { app } = composed.router;
    const ask = (remoteAddress: string, headers = {}) =>
      app.inject({ method: 'GET', url: '/metrics', remoteAddress, headers });
    expect((await ask('127.0.0.1')).statusCode).toBe(200);
    expect((await ask('::1')).statusCode).toBe(200);
    expect((await ask('10.0.0.1')).statusCode).toBe(403);
    // Through a proxy on this machine, whatever the client claims.
    expect((await ask('127.0.0.1', { 'x-forwarded-for': '10.0.0.1' })).statusCode).toBe(403);
    expect((await ask('127.0.0.1', { 'x-forwarded-for': '127.0.0.1' })).statusCode).toBe(403);
    expect((await ask('127.0.0.1', { forwarded: 'for=127.0.0.1' })).statusCode).toBe(403);
  });

  it('answer with the token from anywhere, and without it from nowhere', async () => {
    const token = 'a-token-for-prometheus';
    await using composed = await compose({ environment: { RUNWIRE_METRICS_TOKEN: token } });
    const { app } = composed.router;
    const ask = (authorization: string, remoteAddress = '10.0.0.1') =>
      app.inject({ method: 'GET', url: '/metrics', remoteAddress, headers: { authorization } });
    expect((await ask(`Bearer ${token}`)).statusCode).toBe(200);
    expect((await ask(`Bearer ${token}x`)).statusCode).toBe(403);
    expect((await ask(token)).statusCode).toBe(403);
    expect((await ask('Bearer wrong', '127.0.0.1')).statusCode).toBe(403);
  });
});
