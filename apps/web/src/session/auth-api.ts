import { requestJson } from '../api/json-request.js';
import type { Session, User } from './session-store.js';

interface TokenAnswer {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresInSeconds: number;
  readonly user: User;
}

/** What the sign-in form collects. */
export interface Credentials {
  readonly email: string;
  readonly password: string;
  readonly name?: string;
}

/** Makes an account and signs in. @throws ApiError */
export async function register(credentials: Credentials): Promise<Session> {
  return await open('/auth/register', credentials);
}

/** Signs in. @throws ApiError */
export async function signIn({ email, password }: Credentials): Promise<Session> {
  return await open('/auth/login', { email, password });
}

/** Exchanges the refresh token for a new pair. @throws ApiError `REFRESH_SUPERSEDED`, `TOKEN_INVALID` */
export async function refresh(session: Session): Promise<Session> {
  const { refreshToken, signedInAtMs } = session;
  const body = { refreshToken };
  const answer = await requestJson({ method: 'POST', path: '/auth/refresh', body });
  return sessionOf(answer as TokenAnswer, signedInAtMs);
}

/** Ends the session on the server. @throws ApiError */
export async function signOut(accessToken: string): Promise<void> {
  await requestJson({ method: 'POST', path: '/auth/logout', accessToken });
}

async function open(path: string, body: Credentials): Promise<Session> {
  const answer = await requestJson({ method: 'POST', path, body });
  return sessionOf(answer as TokenAnswer, Date.now());
}

function sessionOf(answer: TokenAnswer, signedInAtMs: number): Session {
  const { accessToken, refreshToken, user, expiresInSeconds } = answer;
  const lifetimeMs = expiresInSeconds * 1_000;
  return { user, accessToken, refreshToken, lifetimeMs, expiresAtMs: Date.now() + lifetimeMs, signedInAtMs };
}
