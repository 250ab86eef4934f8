import type { webcrypto } from 'node:crypto';
import { isId, type UserId } from '@runwire/id-generation';
import type { Clock } from '@runwire/kernel';
import type { Principal } from '@runwire/websocket-core';
import { errors, jwtVerify, SignJWT } from 'jose';
import { AuthError } from './errors.js';

/** Issues and verifies this server's own access tokens (JWT, HS256). */
export interface AccessTokens {
  issue(subject: Pick<Principal, 'userId' | 'sessionId'>): Promise<string>;
  /** @throws AuthError `TOKEN_EXPIRED`, `TOKEN_INVALID` */
  verify(token: string): Promise<Principal>;
  readonly lifetimeMs: number;
}

/** What access tokens are made with. */
export interface AccessTokenOptions {
  /** At least 32 characters. */
  readonly secret: string;
  readonly lifetimeMs: number;
}

const ISSUER = 'runwire';
const AUDIENCE = 'runwire';

/** Creates the issuer and verifier of access tokens. */
export function createAccessTokens(clock: Clock, options: AccessTokenOptions): AccessTokens {
  const key = hmacKey(options.secret);
  return {
    lifetimeMs: options.lifetimeMs,
    async issue({ userId, sessionId }) {
      const nowS = Math.floor(clock.nowMs() / 1_000);
      return await new SignJWT({ sid: sessionId })
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject(userId)
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setIssuedAt(nowS)
        .setExpirationTime(nowS + Math.ceil(options.lifetimeMs / 1_000))
        .sign(await key);
    },
    async verify(token) {
      const claims = await verifiedClaims(token, await key, clock);
      const { sub, sid, iat, exp } = claims;
      if (!isUserId(sub) || typeof sid !== 'string' || iat === undefined || exp === undefined) {
        throw new AuthError(
          'TOKEN_INVALID',
          'The access token lacks a claim: expected sub (a user id), sid, iat and exp.',
        );
      }
      return {
        userId: sub,
        sessionId: sid,
        issuedAtMs: iat * 1_000,
        expiresAtMs: exp * 1_000,
      };
    },
  };
}

function isUserId(sub: string | undefined): sub is UserId {
  return sub !== undefined && isId('user', sub);
}

/** Made once: from the bytes of a secret `jose` makes one for each token, which takes half as long as verifying it. */
function hmacKey(secret: string): Promise<webcrypto.CryptoKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  return crypto.subtle.importKey('raw', new TextEncoder().encode(secret), algorithm, false, [
    'sign',
    'verify',
  ]);
}

async function verifiedClaims(token: string, key: webcrypto.CryptoKey, clock: Clock) {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['HS256'],
      issuer: ISSUER,
      audience: AUDIENCE,
      currentDate: new Date(clock.nowMs()),
    });
    return payload;
  } catch (cause) {
    if (cause instanceof errors.JWTExpired) {
      throw new AuthError('TOKEN_EXPIRED', 'The access token has expired: refresh it.', { cause });
    }
    throw new AuthError('TOKEN_INVALID', 'The access token is not valid: sign in again.', { cause });
  }
}
