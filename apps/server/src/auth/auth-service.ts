import { createHash, randomBytes } from 'node:crypto';
import type { IdGenerator, UserId } from '@runwire/id-generation';
import type { Clock, Logger } from '@runwire/kernel';
import type { Principal } from '@runwire/websocket-core';
import {
  type Account,
  accountByEmail,
  accountById,
  insertAccount,
  insertAuthSession,
  isAuthSessionLive,
  revokeAuthSession,
  rotateRefreshToken,
} from '../persistence/account-store.js';
import type { DatabaseSession } from '../persistence/session.js';
import type { AccessTokens } from './access-tokens.js';
import { AuthError } from './errors.js';
import type { Passwords } from './passwords.js';
import type { Throttle } from './throttle.js';

/** What signing in gives. */
export interface TokenPair {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly tokenType: 'Bearer';
  readonly expiresInSeconds: number;
  readonly user: Account;
}

/** A sign-in session that has ended. */
export interface Revocation {
  readonly userId: UserId;
  readonly sessionId: string;
}

/** Registration, sign-in, rotation, sign-out, and the verification of access tokens. */
export interface AuthService {
  register(
    session: DatabaseSession,
    request: { email: string; password: string; name?: string | undefined; remoteAddress: string },
  ): Promise<TokenPair>;
  login(
    session: DatabaseSession,
    request: { email: string; password: string; remoteAddress: string },
  ): Promise<TokenPair>;
  refresh(session: DatabaseSession, refreshToken: string): Promise<TokenPair>;
  logout(session: DatabaseSession, principal: Principal): Promise<void>;
  /** @throws AuthError `TOKEN_EXPIRED`, `TOKEN_INVALID` (also for a revoked session) */
  verify(session: DatabaseSession, accessToken: string): Promise<Principal>;
  account(session: DatabaseSession, userId: UserId): Promise<Account>;
  /** Calls `listener` for each session that ends by sign-out or revocation. */
  onRevoked(listener: (revocation: Revocation) => void): () => void;
}

/** What the service is built from. */
export interface AuthDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ids: IdGenerator;
  readonly passwords: Passwords;
  readonly tokens: AccessTokens;
  readonly throttle: Throttle;
}

const SESSION_LIFETIME_MS = 30 * 24 * 3_600_000;
const REFRESH_TOKEN_BYTES = 32;

/** Creates the service. */
export function createAuthService(deps: AuthDeps): AuthService {
  return new SqlAuthService(deps);
}

class SqlAuthService implements AuthService {
  readonly #deps: AuthDeps;
  readonly #listeners = new Set<(revocation: Revocation) => void>();

  constructor(deps: AuthDeps) {
    this.#deps = deps;
  }

  async register(
    session: DatabaseSession,
    request: { email: string; password: string; name?: string | undefined; remoteAddress: string },
  ): Promise<TokenPair> {
    const { clock, ids, passwords, throttle } = this.#deps;
    const email = request.email.trim().toLowerCase();
    await throttle.attempt(email, request.remoteAddress);
    const passwordHash = await passwords.hash(request.password);
    const name = request.name?.trim() || (email.split('@')[0] ?? email);
    const account = await insertAccount(session, {
      id: ids.userId(),
      email,
      name,
      passwordHash,
      nowMs: clock.nowMs(),
    });
    if (account === undefined) {
      throw new AuthError('EMAIL_TAKEN', 'There is an account with this e-mail address: sign in instead.');
    }
    await throttle.succeeded(email);
    return await this.#open(session, account);
  }

  async login(
    session: DatabaseSession,
    request: { email: string; password: string; remoteAddress: string },
  ): Promise<TokenPair> {
    const { passwords, throttle } = this.#deps;
    const email = request.email.trim().toLowerCase();
    await throttle.attempt(email, request.remoteAddress);
    const account = await accountByEmail(session, email);
    if (!(await passwords.verify(account?.passwordHash, request.password)) || account === undefined) {
      throw new AuthError('INVALID_CREDENTIALS', 'The e-mail address or the password is wrong.');
    }
    await throttle.succeeded(email);
    const { id, name } = account;
    return await this.#open(session, { id, email, name });
  }

  async refresh(session: DatabaseSession, refreshToken: string): Promise<TokenPair> {
    const next = newRefreshToken();
    const outcome = await rotateRefreshToken(session, {
      presentedHash: hashOf(refreshToken),
      nextHash: hashOf(next),
      nowMs: this.#deps.clock.nowMs(),
    });
    if (outcome.kind === 'rotated') {
      const account = await this.account(session, outcome.userId);
      return await this.#pair(account, outcome.sessionId, next);
    }
    if (outcome.kind === 'superseded') {
      throw new AuthError(
        'REFRESH_SUPERSEDED',
        'Another call has just refreshed this session: use the tokens it received.',
      );
    }
    if (outcome.kind === 'reused') {
      const { sessionId, userId } = outcome;
      this.#deps.logger.warn({ sessionId, userId }, 'a used refresh token came again: session revoked');
      this.#tell({ sessionId, userId });
    }
    throw new AuthError('TOKEN_INVALID', 'The refresh token is not valid: sign in again.');
  }

  async logout(session: DatabaseSession, principal: Principal): Promise<void> {
    const { sessionId, userId } = principal;
    if (await revokeAuthSession(session, sessionId, this.#deps.clock.nowMs())) {
      this.#tell({ sessionId, userId });
    }
  }

  async verify(session: DatabaseSession, accessToken: string): Promise<Principal> {
    const principal = await this.#deps.tokens.verify(accessToken);
    if (await isAuthSessionLive(session, principal.userId, principal.sessionId)) return principal;
    throw new AuthError('TOKEN_INVALID', 'This session has ended: sign in again.');
  }

  async account(session: DatabaseSession, userId: UserId): Promise<Account> {
    const account = await accountById(session, userId);
    if (account !== undefined) return account;
    throw new AuthError('TOKEN_INVALID', 'The account of this token no longer exists.');
  }

  onRevoked(listener: (revocation: Revocation) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async #open(session: DatabaseSession, account: Account): Promise<TokenPair> {
    const { clock, ids } = this.#deps;
    const nowMs = clock.nowMs();
    const sessionId = ids.sessionId();
    const refreshToken = newRefreshToken();
    await insertAuthSession(session, {
      sessionId,
      userId: account.id,
      refreshHash: hashOf(refreshToken),
      nowMs,
      expiresAtMs: nowMs + SESSION_LIFETIME_MS,
    });
    return await this.#pair(account, sessionId, refreshToken);
  }

  async #pair(account: Account, sessionId: string, refreshToken: string): Promise<TokenPair> {
    const { tokens } = this.#deps;
    const accessToken = await tokens.issue({ userId: account.id, sessionId });
    const expiresInSeconds = Math.floor(tokens.lifetimeMs / 1_000);
    return { accessToken, refreshToken, tokenType: 'Bearer', expiresInSeconds, user: account };
  }

  #tell(revocation: Revocation): void {
    for (const listener of this.#listeners) listener(revocation);
  }
}

function newRefreshToken(): string {
  return randomBytes(REFRESH_TOKEN_BYTES).toString('base64url');
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
