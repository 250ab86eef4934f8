import { describe, expect, it } from '@jest/globals';
import { isId } from '@runwire/id-generation';
import { createSystemClock } from '@runwire/kernel';
import { compose } from '../support/composed.js';

describe('every answer', () => {
  const paths = ['/health/live', '/api/threads', '/no/such/page', '/%zz', '/fails', '/openapi.json'];
  it('carries a request id of this server, which an error body repeats, and the headers of a careful one', async () => {
    await using composed = await compose();
    const { app } = composed.router;
    app.get('/fails', () => Promise.reject(new Error('SQLITE_CORRUPT: /data/secret.db')));
    const ids = new Set<string>();
    for (const url of paths) {
      const headers = { 'x-request-id': 'chosen-by-the-caller', 'request-id': 'chosen-by-the-caller' };
      const answer = await app.inject({ method: 'GET', url, headers });
      const requestId = String(answer.headers['x-request-id']);
      expect(isId('request', requestId)).toBe(true);
      ids.add(requestId);
      if (answer.statusCode >= 400) expect(answer.json().error).toMatchObject({ requestId });
      expect(answer.body).not.toContain('secret');
      if (url === '/%zz') continue;
      expect(answer.headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'SAMEORIGIN',
        'referrer-policy': 'no-referrer',
      });
      expect(answer.headers).not.toHaveProperty('x-powered-by');
    }
    expect(ids.size).toBe(paths.length);
  });

  it('lets the page talk to its own server alone', async () => {
    await using composed = await compose();
    const { headers } = await composed.router.app.inject({ method: 'GET', url: '/health/live' });
    const policy = new Map(
      String(headers['content-security-policy'])
        .split(';')
        .map((directive) => [directive.split(' ')[0], directive.split(' ').slice(1).join(' ')]),
    );
    expect(policy.get('connect-src')).toBe("'self'");
    expect(policy.get('default-src')).toBe("'self'");
    expect(policy.get('script-src')).toBe("'self'");
    expect(policy.get('object-src')).toBe("'none'");
    expect(policy.has('upgrade-insecure-requests')).toBe(false);
  });
});

describe('a request that is not as expected', () => {
  it('is told where, as the sockets do, without what was sent', async () => {
    await using composed = await compose();
    const { app } = composed.router;
    const payload = { email: 'not an address', password: 'short-1' };
    const answer = await app.inject({ method: 'POST', url: '/auth/register', payload });
    expect(answer.statusCode).toBe(422);
    expect(answer.json().error).toMatchObject({
      code: 'INVALID_MESSAGE',
      message: 'email: expected an e-mail address',
      details: {
        issues: [
          { path: 'email', message: 'expected an e-mail address' },
          { path: 'password', message: 'expected at least 8 characters' },
        ],
      },
    });
    expect(answer.body).not.toContain('short-1');
  });

  it('is told so when there is no body at all', async () => {
    await using composed = await compose();
    const answer = await composed.router.app.inject({ method: 'POST', url: '/auth/login' });
    expect(answer.statusCode).toBe(422);
    expect(answer.json().error.message).not.toMatch(/^:/);
  });

  const cases: readonly (readonly [string, object, number, string])[] = [
    ['no JSON', { payload: '{', headers: { 'content-type': 'application/json' } }, 400, 'INVALID_JSON'],
    [
      'an empty JSON body',
      { payload: '', headers: { 'content-type': 'application/json' } },
      400,
      'INVALID_JSON',
    ],
    [
      'another content type',
      { payload: 'a=b', headers: { 'content-type': 'text/csv' } },
      415,
      'INVALID_MESSAGE',
    ],
    [
      'a body above the limit',
      { payload: `"${'x'.repeat(256 * 1_024)}"`, headers: { 'content-type': 'application/json' } },
      413,
      'MESSAGE_TOO_LARGE',
    ],
  ];
  for (const [what, sent, status, code] of cases) {
    it(`with ${what} is ${status} ${code}`, async () => {
      await using composed = await compose();
      const answer = await composed.router.app.inject({ method: 'POST', url: '/auth/login', ...sent });
      expect(answer.statusCode).toBe(status);
      expect(answer.json().error.code).toBe(code);
    });
  }

  it('for a page of threads that never was is refused, not answered with the first', async () => {
    await using composed = await compose();
    const { headers } = await composed.register('somebody');
    const { app } = composed.router;
    for (const query of ['before=garbage', 'before=.', 'before=1.', 'limit=0', 'limit=101', 'limit=many']) {
      const answer = await app.inject({ method: 'GET', url: `/api/threads?${query}`, headers });
      expect([query, answer.statusCode]).toEqual([query, 422]);
    }
  });
});

describe('the guard', () => {
  const wrong: readonly (readonly [string, string | undefined, string])[] = [
    ['none', undefined, 'UNAUTHENTICATED'],
    ['another scheme', 'Basic dXNlcjpwYXNz', 'UNAUTHENTICATED'],
    ['an empty one', 'Bearer ', 'UNAUTHENTICATED'],
    ['two', 'Bearer a b', 'UNAUTHENTICATED'],
    ['no JWT', 'Bearer abc', 'TOKEN_INVALID'],
  ];
  for (const [what, authorization, code] of wrong) {
    it(`[AU-2] refuses ${what} as ${code}, on every route that needs a user`, async () => {
      await using composed = await compose();
      const { app } = composed.router;
      const headers = authorization === undefined ? {} : { authorization };
      for (const [method, url] of GUARDED) {
        const answer = await app.inject({
          method,
          url,
          headers,
          ...(method === 'GET' ? {} : { payload: {} }),
        });
        expect([method, url, answer.statusCode]).toEqual([method, url, 401]);
        expect(answer.json().error.code).toBe(code);
        expect(answer.headers['www-authenticate']).toBe('Bearer');
      }
    });
  }

  it('[AU-2] refuses a token that this server signed for somebody who is no user', async () => {
    await using composed = await compose();
    const { SignJWT } = await import('jose');
    const nowS = Math.floor(createSystemClock().nowMs() / 1_000);
    const token = await new SignJWT({ sid: 'session' })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('root')
      .setIssuer('runwire')
      .setAudience('runwire')
      .setIssuedAt(nowS)
      .setExpirationTime(nowS + 60)
      .sign(new TextEncoder().encode('a secret of more than 32 characters'));
    const headers = { authorization: `Bearer ${token}` };
    const answer = await composed.router.app.inject({ method: 'GET', url: '/auth/me', headers });
    expect(answer.statusCode).toBe(401);
    expect(answer.json().error.code).toBe('TOKEN_INVALID');
  });
});

const GUARDED = [
  ['POST', '/auth/logout'],
  ['GET', '/auth/me'],
  ['GET', '/api/agents'],
  ['GET', '/api/threads'],
  ['POST', '/api/threads'],
  ['GET', '/api/threads/x'],
  ['PATCH', '/api/threads/x'],
  ['DELETE', '/api/threads/x'],
  ['POST', '/api/threads/x/messages'],
  ['GET', '/api/runs/x'],
  ['POST', '/api/runs/x/cancel'],
  ['GET', '/api/runs/x/events'],
  ['GET', '/api/runs/x/result'],
  ['GET', '/api/runs/x/tools/y/output'],
] as const;
