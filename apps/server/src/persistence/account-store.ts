import type { UserId } from '@runwire/id-generation';
import { isUniqueViolation } from './errors.js';
import type { DatabaseSession } from './session.js';

/** A registered user, without the password. */
export interface Account {
  readonly id: UserId;
  readonly email: string;
  readonly name: string;
}

/** What a presented refresh token turned out to be. */
export type RotationOutcome =
  | { readonly kind: 'rotated'; readonly userId: UserId; readonly sessionId: string }
  /** Rotated by another call within the grace time: nothing is wrong, that call has the new pair. */
  | { readonly kind: 'superseded' }
  /** Used again after the grace time: the session is revoked with this. */
  | { readonly kind: 'reused'; readonly userId: UserId; readonly sessionId: string }
  | { readonly kind: 'unknown' };

/** Time in which a second use of a rotated token is taken for a race, not for theft (protocol §8). */
export const ROTATION_GRACE_MS = 10_000;

/** Creates an account; undefined when the address is taken. */
export async function insertAccount(
  session: DatabaseSession,
  account: Account & { readonly passwordHash: string; readonly nowMs: number },
): Promise<Account | undefined> {
  const { id, email, name } = account;
  try {
    await session.db
      .insertInto('users')
      .values({ id, email, name, password_hash: account.passwordHash, created_at_ms: account.nowMs })
      .execute();
  } catch (error) {
    if (isUniqueViolation(error)) return undefined;
    throw error;
  }
  return { id, email, name };
}

/** The account of an e-mail address, with its password's hash. */
export async function accountByEmail(
  session: DatabaseSession,
  email: string,
): Promise<(Account & { readonly passwordHash: string }) | undefined> {
  const row = await session.db.selectFrom('users').selectAll().where('email', '=', email).executeTakeFirst();
  if (row === undefined) return undefined;
  return { id: row.id as UserId, email: row.email, name: row.name, passwordHash: row.password_hash };
}

/** The account of a user. */
export async function accountById(session: DatabaseSession, userId: UserId): Promise<Account | undefined> {
  const row = await session.db.selectFrom('users').selectAll().where('id', '=', userId).executeTakeFirst();
  return row === undefined ? undefined : { id: row.id as UserId, email: row.email, name: row.name };
}

/** Opens a sign-in session with its first refresh token. */
export async function insertAuthSession(
  session: DatabaseSession,
  opened: {
    readonly sessionId: string;
    readonly userId: UserId;
    readonly refreshHash: string;
    readonly nowMs: number;
    readonly expiresAtMs: number;
  },
): Promise<void> {
  await session.transaction(async (tx) => {
    // Sessions that are over go, with their tokens, as new ones come.
    await tx.deleteFrom('auth_sessions').where('expires_at_ms', '<=', opened.nowMs).execute();
    await tx
      .insertInto('auth_sessions')
      .values({
        id: opened.sessionId,
        user_id: opened.userId,
        created_at_ms: opened.nowMs,
        expires_at_ms: opened.expiresAtMs,
        revoked_at_ms: null,
      })
      .execute();
    await tx
      .insertInto('refresh_tokens')
      .values({
        hash: opened.refreshHash,
        session_id: opened.sessionId,
        issued_at_ms: opened.nowMs,
        rotated_at_ms: null,
      })
      .execute();
  });
}

/** Trades one refresh token for the next: of many concurrent calls the database lets one through. */
export async function rotateRefreshToken(
  session: DatabaseSession,
  rotation: { readonly presentedHash: string; readonly nextHash: string; readonly nowMs: number },
): Promise<RotationOutcome> {
  const { presentedHash, nextHash, nowMs } = rotation;
  return await session.transaction(async (tx) => {
    const token = await tx
      .selectFrom('refresh_tokens')
      .innerJoin('auth_sessions', 'auth_sessions.id', 'refresh_tokens.session_id')
      .select(['session_id', 'user_id', 'rotated_at_ms', 'revoked_at_ms', 'expires_at_ms'])
      .where('hash', '=', presentedHash)
      .executeTakeFirst();
    if (token === undefined || token.revoked_at_ms !== null || token.expires_at_ms <= nowMs) {
      return { kind: 'unknown' };
    }
    const owner = { userId: token.user_id as UserId, sessionId: token.session_id };
    const { numUpdatedRows } = await tx
      .updateTable('refresh_tokens')
      .set({ rotated_at_ms: nowMs })
      .where('hash', '=', presentedHash)
      .where('rotated_at_ms', 'is', null)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) {
      if (nowMs - (token.rotated_at_ms ?? nowMs) <= ROTATION_GRACE_MS) return { kind: 'superseded' };
      await tx
        .updateTable('auth_sessions')
        .set({ revoked_at_ms: nowMs })
        .where('id', '=', owner.sessionId)
        .execute();
      return { kind: 'reused', ...owner };
    }
    await tx
      .insertInto('refresh_tokens')
      .values({ hash: nextHash, session_id: owner.sessionId, issued_at_ms: nowMs, rotated_at_ms: null })
      .execute();
    return { kind: 'rotated', ...owner };
  });
}

/** Ends a sign-in session. False when it had ended before. */
export async function revokeAuthSession(
  session: DatabaseSession,
  sessionId: string,
  nowMs: number,
): Promise<boolean> {
  const { numUpdatedRows } = await session.db
    .updateTable('auth_sessions')
    .set({ revoked_at_ms: nowMs })
    .where('id', '=', sessionId)
    .where('revoked_at_ms', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Whether a sign-in session is the user's and has not ended. */
export async function isAuthSessionLive(
  session: DatabaseSession,
  userId: UserId,
  sessionId: string,
): Promise<boolean> {
  const row = await session.db
    .selectFrom('auth_sessions')
    .select('revoked_at_ms')
    .where('id', '=', sessionId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row !== undefined && row.revoked_at_ms === null;
}
