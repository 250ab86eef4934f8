import { CodedError } from '@runwire/kernel';

/**
 * Why a context was refused. Each error of a field carries its name in `details.field`.
 *
 * - `FIELD_BLANK`: missing, not a text, or nothing but white space.
 * - `FIELD_PLACEHOLDER`: a stand-in such as `none` or `test_user`.
 * - `FIELD_INVALID`: not of the form the field has.
 * - `RUN_THREAD_MISMATCH`: the run is not one of the thread.
 * - `METADATA_RESERVED`: a key that names a part of the identity.
 * - `METADATA_FOREIGN_USER`: another user's id inside the metadata.
 * - `METADATA_INVALID`: not JSON, deeper than 16 levels, or more than 1,000 values.
 * - `REQUEST_ID_REUSED`: a child with the request id of its parent.
 * - `DEPTH_EXCEEDED`: a child of a child at depth 10.
 * - `SCOPE_CLOSED`: the reason of a scope's aborted signal; never thrown by this package.
 */
export type ContextErrorCode =
  | 'FIELD_BLANK'
  | 'FIELD_PLACEHOLDER'
  | 'FIELD_INVALID'
  | 'RUN_THREAD_MISMATCH'
  | 'METADATA_RESERVED'
  | 'METADATA_FOREIGN_USER'
  | 'METADATA_INVALID'
  | 'REQUEST_ID_REUSED'
  | 'DEPTH_EXCEEDED'
  | 'SCOPE_CLOSED';

/** An identity that was refused, or a scope that is over. */
export class ContextError extends CodedError<ContextErrorCode> {
  override readonly name = 'ContextError';
}

/** An error about one field, named in the message and in `details.field`. */
export function fieldError(
  code: ContextErrorCode,
  field: string,
  problem: string,
  cause?: unknown,
): ContextError {
  return new ContextError(code, `${field} ${problem}.`, { cause, details: { field } });
}
