import { CodedError } from '@runwire/kernel';

/** Why persistence refused. */
export type PersistenceErrorCode = 'SESSION_CLOSED';

/** The error of this server's persistence. Match on `code`. */
export class PersistenceError extends CodedError<PersistenceErrorCode> {
  override readonly name = 'PersistenceError';
}

/** True when a statement failed because a unique constraint would not hold, in SQLite or PostgreSQL. */
export function isUniqueViolation(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === '23505' || error.code === 'SQLITE_CONSTRAINT_UNIQUE' || error.code === 'SQLITE_CONSTRAINT_PRIMARYKEY';
}
