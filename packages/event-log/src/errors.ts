import { CodedError } from '@runwire/kernel';

/** Why a log refused. Closed list. */
export const EVENT_LOG_ERROR_CODES = [
  'EMPTY_APPEND',
  'EVENT_TOO_LARGE',
  'FENCED',
  'LOG_CLOSED',
  'LOG_INVALID_OPTION',
  'LOG_READ_FAILED',
  'LOG_WRITE_FAILED',
  'PRODUCER_GAP',
  'RUN_ENDED',
] as const;

/** One of {@link EVENT_LOG_ERROR_CODES}. */
export type EventLogErrorCode = (typeof EVENT_LOG_ERROR_CODES)[number];

/** The error of every event log. Match on `code`. */
export class EventLogError extends CodedError<EventLogErrorCode> {
  override readonly name = 'EventLogError';
}
