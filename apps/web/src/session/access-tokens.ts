import { ApiError, signedOut } from '../api/api-error.js';
import { refresh } from './auth-api.js';
import type { Session, SessionStore } from './session-store.js';

/** Access tokens that are good for a while. */
export interface AccessTokens {
  /**
   * A token that is neither `stale` nor about to expire, refreshed if need be, once for all tabs.
   *
   * @throws ApiError `UNAUTHENTICATED` when signed out, which it may find on the way
   */
  current(stale?: string): Promise<string>;
}

const LOCK = 'runwire-refresh';
const MARGIN_MS = 30_000;
const SUPERSEDED_WAIT_MS = 3_000;
const POLL_MS = 50;
const ENDED = 'Your session has ended. Please sign in again.';

/** Creates them over the stored session. */
export function createAccessTokens(sessions: SessionStore): AccessTokens {
  let inFlight: Promise<string> | undefined;
  return {
    async current(stale) {
      const session = sessions.get();
      if (session === null) throw signedOut();
      if (isFresh(session, stale)) return session.accessToken;
      inFlight ??= exclusively(() => renew(sessions, session.accessToken)).finally(() => {
        inFlight = undefined;
      });
      return await inFlight;
    },
  };
}

/** Another tab may have refreshed while this one waited for the lock: what is stored counts. */
async function renew(sessions: SessionStore, old: string): Promise<string> {
  const session = sessions.get();
  if (session === null) throw signedOut();
  if (isFresh(session, old)) return session.accessToken;
  try {
    const next = await refresh(session);
    // Signed out, or signed in anew, while the answer was on its way: the new pair belongs to nobody.
    if (sessions.get()?.refreshToken !== session.refreshToken) return stored(sessions);
    sessions.set(next);
    return next.accessToken;
  } catch (cause) {
    if (!(cause instanceof ApiError)) throw cause;
    if (cause.code === 'REFRESH_SUPERSEDED') return await supersededBy(sessions, session);
    if (cause.status !== 401) throw cause;
    if (sessions.get()?.refreshToken !== session.refreshToken) return stored(sessions);
    sessions.end(ENDED);
    throw signedOut(ENDED);
  }
}

/** Another holder of this refresh token was first, and is about to store what it got. */
async function supersededBy(sessions: SessionStore, session: Session): Promise<string> {
  for (let waitedMs = 0; waitedMs < SUPERSEDED_WAIT_MS; waitedMs += POLL_MS) {
    if (sessions.get()?.refreshToken !== session.refreshToken) return stored(sessions);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const message = 'Another tab is renewing your session. Please try again.';
  throw new ApiError({ status: 409, code: 'REFRESH_SUPERSEDED', message });
}

function stored(sessions: SessionStore): string {
  const session = sessions.get();
  if (session === null) throw signedOut();
  return session.accessToken;
}

function isFresh(session: Session, stale: string | undefined): boolean {
  const marginMs = Math.min(MARGIN_MS, session.lifetimeMs / 5);
  return session.accessToken !== stale && session.expiresAtMs - Date.now() > marginMs;
}

/** Without Web Locks (an insecure origin) the server still lets only one tab win, with 409 for the others. */
function exclusively<T>(work: () => Promise<T>): Promise<T> {
  const locks = (navigator as { readonly locks?: LockManager }).locks;
  return locks === undefined ? work() : Promise.resolve(locks.request(LOCK, work));
}
