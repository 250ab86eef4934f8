import { CodedError } from '@runwire/kernel';

/** Why delivery refused. Closed list. */
export const BRIDGE_ERROR_CODES = [
  'BRIDGE_ALREADY_ATTACHED',
  'BRIDGE_CLOSED',
  'BRIDGE_INVALID_OPTION',
  'BRIDGE_MISSING_DEPENDENCY',
  'EMITTER_CLOSED',
  'EMITTER_EXISTS',
  'EMIT_FAILED',
  'EMIT_OVERFLOW',
  'LARGE_VALUE_NOT_STORED',
] as const;

/** One of {@link BRIDGE_ERROR_CODES}. */
export type BridgeErrorCode = (typeof BRIDGE_ERROR_CODES)[number];

/** The error of this package. Match on `code`. */
export class BridgeError extends CodedError<BridgeErrorCode> {
  override readonly name = 'BridgeError';
}
