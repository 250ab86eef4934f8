import { isCodedError } from '@runwire/kernel';
import { createErrorBody, ERROR_CODES, type ErrorBody, type ErrorCode } from '@runwire/protocol';
import type { FastifyError } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';

/** An error as HTTP answers it. */
export interface Problem {
  readonly status: number;
  readonly body: ErrorBody;
}

/** The one table from codes to HTTP statuses. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  INVALID_JSON: 400,
  INVALID_MESSAGE: 422,
  UNKNOWN_MESSAGE_TYPE: 422,
  EMPTY_MESSAGE: 422,
  MESSAGE_TOO_LARGE: 413,
  RATE_LIMITED: 429,
  TOO_MANY_ATTEMPTS: 429,
  RUN_LIMIT: 429,
  UNAUTHENTICATED: 401,
  TOKEN_EXPIRED: 401,
  TOKEN_INVALID: 401,
  INVALID_CREDENTIALS: 401,
  FORBIDDEN: 403,
  NOT_READY: 503,
  THREAD_NOT_FOUND: 404,
  RUN_NOT_FOUND: 404,
  AGENT_NOT_FOUND: 404,
  NOT_FOUND: 404,
  THREAD_BUSY: 409,
  RUN_SUPERSEDED: 409,
  EMAIL_TAKEN: 409,
  REFRESH_SUPERSEDED: 409,
  COMMAND_ID_REUSED: 409,
  COMMAND_PENDING: 409,
  APPROVAL_NOT_PENDING: 409,
};

/** The HTTP status of an error body. */
export function statusOf(body: ErrorBody): number {
  return STATUS[body.code] ?? 500;
}

/** What a failed request is answered: a known code as it is, everything else `INTERNAL` and nothing more. */
export function problemOf(error: FastifyError | Error): Problem {
  if (hasZodFastifySchemaValidationErrors(error)) return malformed(error.validation);
  const status = 'statusCode' in error ? error.statusCode : undefined;
  if (isCodedError(error) && Object.hasOwn(ERROR_CODES, error.code)) {
    const code = error.code as ErrorCode;
    const retryAfterMs = Number(error.details?.['retryAfterMs']);
    const retry = Number.isFinite(retryAfterMs) ? { retryAfterMs } : {};
    const known = STATUS[code];
    if (known === undefined) return { status: 500, body: createErrorBody(code, retry) };
    return { status: known, body: createErrorBody(code, { message: error.message, ...retry }) };
  }
  if ('code' in error && error.code === 'FST_ERR_BAD_URL')
    return of('NOT_FOUND', 404, 'The address is no valid URL.');
  if (status === 400) return of('INVALID_JSON', 400, 'The body is no valid JSON.');
  if (status === 413) return of('MESSAGE_TOO_LARGE', 413, 'The body is too large.');
  if (status === 415) return of('INVALID_MESSAGE', 415, 'Expected the content type application/json.');
  if (status === 429) return of('RATE_LIMITED', 429, 'Too many requests: wait a moment.');
  return { status: 500, body: createErrorBody('INTERNAL') };
}

function of(code: ErrorCode, status: number, message: string): Problem {
  return { status, body: createErrorBody(code, { message }) };
}

function malformed(validation: readonly { instancePath: string; message?: string }[]): Problem {
  const issues = validation.slice(0, 10).map(({ instancePath, message }) => ({
    path: instancePath.replace(/^\//, '').replaceAll('/', '.'),
    message: message ?? 'is not valid',
  }));
  const first = issues[0];
  const message = first === undefined ? 'The request is not valid.' : describe(first);
  return { status: 422, body: createErrorBody('INVALID_MESSAGE', { message, details: { issues } }) };
}

/** An issue of the body as a whole has no path. */
function describe({ path, message }: { readonly path: string; readonly message: string }): string {
  return path === '' ? message : `${path}: ${message}`;
}
