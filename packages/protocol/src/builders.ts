import type { ErrorBody } from './contract.js';
import type { ControlFieldsByType, ControlMessageOf, ControlType } from './control-messages.js';
import { ERROR_CODES, type ErrorCode } from './error-codes.js';
import { ProtocolError } from './errors.js';

const REQUIRED_FIELDS: Readonly<Record<ControlType, readonly string[]>> = {
  connection_established: [
    'connectionId',
    'userId',
    'serverTimeMs',
    'stream',
    'resume',
    'limits',
    'heartbeatIntervalMs',
    'tokenExpiresAtMs',
    'reconnect',
  ],
  caught_up: ['seq'],
  reset: ['reason', 'stream'],
  heartbeat: ['sent', 'head', 'serverTimeMs'],
  pong: [],
  command_accepted: ['ref', 'result'],
  command_rejected: ['ref', 'error'],
  auth_expiring: ['expiresAtMs'],
  auth_refreshed: ['ref', 'expiresAtMs'],
  server_draining: ['reconnectAfterMs', 'deadlineAtMs'],
  error: ['code', 'message', 'retryable'],
};

/** What may differ from an error code's defaults. */
export interface ErrorOverrides {
  readonly message?: string;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What an `error` message is made of. */
export interface ErrorMessageFields extends ErrorOverrides {
  readonly code: ErrorCode;
  readonly ref?: string;
}

/**
 * Builds a control message. A missing field is a compile error, and for callers without types an error here,
 * before anything is sent.
 *
 * @throws ProtocolError `MISSING_FIELD` naming the field; `UNKNOWN_TYPE`
 */
export function createServerMessage<T extends ControlType>(
  type: T,
  fields: ControlFieldsByType[T],
): { readonly type: T } & ControlFieldsByType[T] {
  if (type === undefined) throw missing('type');
  if (!Object.hasOwn(REQUIRED_FIELDS, type)) {
    throw new ProtocolError('UNKNOWN_TYPE', `There is no control message of type ${JSON.stringify(type)}.`, {
      details: { type },
    });
  }
  if (typeof fields !== 'object' || fields === null) throw missing('fields', type);
  for (const field of REQUIRED_FIELDS[type]) {
    if (Reflect.get(fields, field) === undefined) throw missing(field, type);
  }
  return { ...fields, type };
}

/**
 * Builds an `error` message: message and `retryable` come from `ERROR_CODES` unless given.
 *
 * @throws ProtocolError `MISSING_FIELD` without a code; `UNKNOWN_CODE`
 */
export function createErrorMessage(fields: ErrorMessageFields): ControlMessageOf<'error'> {
  const { code, ref, ...overrides } = Object(fields) as ErrorMessageFields;
  const body = createErrorBody(code, overrides);
  return { type: 'error', ...body, ...(ref === undefined ? {} : { ref }) };
}

/**
 * Builds the body of an error: message and `retryable` come from `ERROR_CODES` unless given.
 *
 * @throws ProtocolError `MISSING_FIELD` without a code; `UNKNOWN_CODE`
 */
export function createErrorBody(code: ErrorCode, overrides: ErrorOverrides = {}): ErrorBody {
  if (code === undefined) throw missing('code', 'error');
  if (!Object.hasOwn(ERROR_CODES, code)) {
    throw new ProtocolError('UNKNOWN_CODE', `There is no error code ${JSON.stringify(code)}.`, {
      details: { code },
    });
  }
  const { message, retryable, retryAfterMs, details } = overrides;
  return {
    code,
    message: message ?? ERROR_CODES[code].message,
    retryable: retryable ?? ERROR_CODES[code].retryable,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(details === undefined ? {} : { details }),
  };
}

function missing(field: string, type?: string): ProtocolError {
  const where = type === undefined ? '' : ` of ${JSON.stringify(type)}`;
  return new ProtocolError('MISSING_FIELD', `The field "${field}"${where} is missing.`, {
    details: type === undefined ? { field } : { field, type },
  });
}
