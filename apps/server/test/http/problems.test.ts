import { describe, expect, it } from '@jest/globals';
import { CodedError } from '@runwire/kernel';
import { createErrorBody, ERROR_CODES, type ErrorCode } from '@runwire/protocol';
import { AuthError } from '../../src/auth/errors.js';
import { problemOf, statusOf } from '../../src/http/problems.js';

class SomeError extends CodedError<string> {}

describe('an error body over HTTP', () => {
  const statuses: Readonly<Record<ErrorCode, number>> = {
    INVALID_JSON: 400,
    INVALID_MESSAGE: 422,
    UNKNOWN_MESSAGE_TYPE: 422,
    EMPTY_MESSAGE: 422,
    MESSAGE_TOO_LARGE: 413,
    RATE_LIMITED: 429,
    UNAUTHENTICATED: 401,
    TOKEN_EXPIRED: 401,
    TOKEN_INVALID: 401,
    FORBIDDEN: 403,
    NOT_READY: 503,
    THREAD_NOT_FOUND: 404,
    RUN_NOT_FOUND: 404,
    AGENT_NOT_FOUND: 404,
    THREAD_BUSY: 409,
    RUN_LIMIT: 429,
    RUN_SUPERSEDED: 409,
    APPROVAL_NOT_PENDING: 409,
    AGENT_FAILED: 500,
    AGENT_TIMEOUT: 500,
    TOOL_FAILED: 500,
    TOOL_TIMEOUT: 500,
    RUN_INTERRUPTED: 500,
    COMMAND_PENDING: 409,
    COMMAND_ID_REUSED: 409,
    EMAIL_TAKEN: 409,
    INVALID_CREDENTIALS: 401,
    TOO_MANY_ATTEMPTS: 429,
    REFRESH_SUPERSEDED: 409,
    NOT_FOUND: 404,
    INTERNAL: 500,
  };
  it('has a status for every code there is', () => {
    expect(Object.keys(statuses).sort()).toEqual(Object.keys(ERROR_CODES).sort());
  });
  for (const [code, status] of Object.entries(statuses) as [ErrorCode, number][]) {
    it(`${code} is ${status}`, () => {
      expect(statusOf(createErrorBody(code))).toBe(status);
      expect(problemOf(new SomeError(code, 'As it is.'))).toMatchObject({ status, body: { code } });
    });
  }
});

describe('a failed request', () => {
  it('is answered a known code with its message, and when to try again', () => {
    const error = new AuthError('TOO_MANY_ATTEMPTS', 'Too many attempts.', {
      details: { retryAfterMs: 1_500 },
    });
    expect(problemOf(error)).toMatchObject({
      status: 429,
      body: { code: 'TOO_MANY_ATTEMPTS', message: 'Too many attempts.', retryAfterMs: 1_500 },
    });
  });

  const leaky: readonly Error[] = [
    new Error('SQLITE_CANTOPEN: /home/somebody/secret.db'),
    new TypeError("Cannot read properties of undefined (reading 'password')"),
    new SomeError('POOL_NOT_OWNER', 'The connection is another user’s: user_secret'),
    new SomeError('constructor', 'secret'),
    Object.assign(new Error('upstream secret'), { statusCode: 502 }),
    new CodedError('INTERNAL', 'secret cause'),
  ];
  for (const error of leaky) {
    it(`is answered INTERNAL and nothing of "${error.message}"`, () => {
      const { status, body } = problemOf(error);
      expect(status).toBe(500);
      expect(body).toEqual(createErrorBody('INTERNAL'));
    });
  }

  const frameworks: readonly (readonly [number, number, string])[] = [
    [400, 400, 'INVALID_JSON'],
    [413, 413, 'MESSAGE_TOO_LARGE'],
    [415, 415, 'INVALID_MESSAGE'],
    [429, 429, 'RATE_LIMITED'],
  ];
  for (const [statusCode, status, code] of frameworks) {
    it(`of the framework with ${statusCode} is ${code}, in words of our own`, () => {
      const problem = problemOf(Object.assign(new Error('FST_INTERNAL_WORDS'), { statusCode }));
      expect(problem).toMatchObject({ status, body: { code } });
      expect(problem.body.message).not.toContain('FST_');
    });
  }
});
