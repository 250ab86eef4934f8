import { CodedError } from '@runwire/kernel';

/**
 * Why this package refused; misuse on this side, never sent. Closed list.
 *
 * - `INVALID_FRAME`: what came from a server is no frame of this protocol; `details.issues`.
 * - `MISSING_FIELD`: a message was built without a required field; `details.field` names it.
 * - `NOT_ENCODABLE`: what should be sent has no JSON (a cycle, a BigInt, no data at all).
 * - `UNKNOWN_CODE`: there is no error code of that name; `details.code`.
 * - `UNKNOWN_TYPE`: there is no message of that type; `details.type`.
 */
export const PROTOCOL_ERROR_CODES = [
  'INVALID_FRAME',
  'MISSING_FIELD',
  'NOT_ENCODABLE',
  'UNKNOWN_CODE',
  'UNKNOWN_TYPE',
] as const;

/** One of {@link PROTOCOL_ERROR_CODES}. */
export type ProtocolErrorCode = (typeof PROTOCOL_ERROR_CODES)[number];

/** The one error class of this package. What a peer did wrong is an `ErrorBody`. Match on `code`. */
export class ProtocolError extends CodedError<ProtocolErrorCode> {
  override readonly name = 'ProtocolError';
}
