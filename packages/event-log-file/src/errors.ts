import { EventLogError } from '@runwire/event-log';
import { CodedError, isCodedError } from '@runwire/kernel';

/** Why a folder cannot be opened as a log. Closed list. */
export const FILE_LOG_ERROR_CODES = [
  'LOG_FOLDER_UNUSABLE',
  'LOG_FOREIGN_FILE',
  'LOG_INVALID_OPTION',
  'LOG_IN_USE',
  'LOG_VERSION_UNSUPPORTED',
] as const;

/** One of {@link FILE_LOG_ERROR_CODES}. */
export type FileLogErrorCode = (typeof FILE_LOG_ERROR_CODES)[number];

/**
 * A folder that cannot be opened as a log. Match on `code`. What an open log refuses is an `EventLogError`; a
 * disk that does not take an append makes that `LOG_WRITE_FAILED`.
 */
export class FileLogError extends CodedError<FileLogErrorCode> {
  override readonly name = 'FileLogError';
}

/** The system's code of an error, such as `ENOSPC`. */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'UNKNOWN';
}

const UNREADABLE = 'UNREADABLE';

/** A record has its checksum, and its payload is not what records hold: `LOG_READ_FAILED`. Says nothing of it. */
export function unreadable(what: string, cause?: unknown): EventLogError {
  return new EventLogError('LOG_READ_FAILED', `A record of the log cannot be understood: ${what}.`, {
    cause,
    details: { code: UNREADABLE },
  });
}

/** Whether an error is one of {@link unreadable}: the record is damaged then, whatever its checksum says. */
export function isUnreadable(error: unknown): boolean {
  return isCodedError(error, 'LOG_READ_FAILED') && error.details?.['code'] === UNREADABLE;
}

const NOT_A_FOLDER = ['is not a folder', 'remove the file, or choose another path'] as const;
const NOT_ALLOWED = [
  'cannot be read and written by this user',
  'change its owner or mode, or choose another path',
] as const;

/** What is wrong, and what can be done. */
const REASONS: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  ENOTDIR: NOT_A_FOLDER,
  EEXIST: NOT_A_FOLDER,
  EACCES: NOT_ALLOWED,
  EPERM: NOT_ALLOWED,
  EROFS: ['is on a disk that is read-only', 'make it writable, or choose another path'],
  ENOSPC: ['is on a disk that is full', 'make room, or choose another path'],
};

/** What the system says of a log's folder, or of a file in it, and what can be done. */
export function folderUnusable(path: string, cause: unknown): FileLogError {
  const code = codeOf(cause);
  const [reason, remedy] = REASONS[code] ?? [
    'does not do what it should',
    'look at what the system says of it',
  ];
  return new FileLogError(
    'LOG_FOLDER_UNUSABLE',
    `The event log cannot use ${path}, which ${reason} (${code}): ${remedy}.`,
    { cause, details: { path, code } },
  );
}
