import { createIdGenerator } from '@runwire/id-generation';
import { createSystemClock } from '@runwire/kernel';
import { jwtVerify, SignJWT } from 'jose';
import type { BenchUser } from './contract.js';

const ISSUER = 'benchmarks';

/** Makes users with a token each. Tokens are good for a day. */
export async function createUsers(count: number, secret: string): Promise<readonly BenchUser[]> {
  const ids = createIdGenerator({ clock: createSystemClock() });
  const key = new TextEncoder().encode(secret);
  const create = async (): Promise<BenchUser> => {
    const id = ids.userId();
    const token = await new SignJWT({ sid: ids.sessionId() })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(id)
      .setIssuer(ISSUER)
      .setIssuedAt()
      .setExpirationTime('1d')
      .sign(key);
    return { id, token };
  };
  return await Promise.all(Array.from({ length: count }, create));
}

/** Who a token belongs to, and until when. */
export interface VerifiedToken {
  readonly userId: string;
  readonly sessionId: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** Verifies a token. Rejects for one that is not valid. */
export type VerifyToken = (token: string) => Promise<VerifiedToken>;

/** The same verification for every contestant, that of the reference server, so that none wins by a cheaper one. */
export function createTokenVerifier(secret: string): VerifyToken {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = crypto.subtle.importKey('raw', new TextEncoder().encode(secret), algorithm, false, ['verify']);
  return async (token) => {
    const { payload } = await jwtVerify(token, await key, { algorithms: ['HS256'], issuer: ISSUER });
    const { sub, sid, iat, exp } = payload;
    if (sub === undefined || typeof sid !== 'string' || iat === undefined || exp === undefined) {
      throw new Error('The token lacks a claim: expected sub, sid, iat and exp.');
    }
    return { userId: sub, sessionId: sid, issuedAtMs: iat * 1_000, expiresAtMs: exp * 1_000 };
  };
}

/** The token of an `Authorization: Bearer` header; empty without one. */
export function bearerToken(header: string | undefined): string {
  return header?.replace(/^Bearer /, '') ?? '';
}
