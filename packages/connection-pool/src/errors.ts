import { CodedError } from '@runwire/kernel';

/** Why the pool refused. Local errors of the program, never sent. */
export const POOL_ERROR_CODES = [
  /** What was passed is no context of a user. */
  'POOL_INVALID_CONTEXT',
  /** An option is out of its range. */
  'POOL_INVALID_OPTION',
  /** The connection is another user's. */
  'POOL_NOT_OWNER',
] as const;

/** One of {@link POOL_ERROR_CODES}. */
export type PoolErrorCode = (typeof POOL_ERROR_CODES)[number];

/** The one error this package throws. Match on `code`. */
export class PoolError extends CodedError<PoolErrorCode> {
  override readonly name = 'PoolError';
}
