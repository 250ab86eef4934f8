import { createValueStore, type ReadableStore } from '../state/value-store.js';

/** Who is signed in. */
export interface User {
  readonly id: string;
  readonly email: string;
  readonly name: string;
}

/** A sign-in with its current tokens. */
export interface Session {
  readonly user: User;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly lifetimeMs: number;
  readonly expiresAtMs: number;
  /** Stays the same over refreshes: tells one sign-in from the next. */
  readonly signedInAtMs: number;
}

/** The session all tabs of the browser share, and why it ended in this one. */
export interface SessionStore extends ReadableStore<Session | null> {
  /** Why the sign-in page is shown, in words fit for the user. */
  readonly notice: ReadableStore<string | null>;
  set(session: Session): void;
  /** Signs out in all tabs. */
  end(notice?: string): void;
}

const KEY = 'runwire.session';

/** Creates the store over `localStorage`, which is read at each `get`: another tab may have changed it. */
export function createSessionStore(): SessionStore {
  const listeners = new Set<() => void>();
  const notice = createValueStore<string | null>(null);
  let raw: string | null = null;
  let parsed: Session | null = null;

  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  const onStorage = (event: StorageEvent): void => {
    if (event.key === KEY || event.key === null) tell();
  };
  return {
    notice,
    get() {
      const stored = localStorage.getItem(KEY);
      if (stored !== raw) {
        raw = stored;
        parsed = parseSession(stored);
      }
      return parsed;
    },
    subscribe(listener) {
      if (listeners.size === 0) addEventListener('storage', onStorage);
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) removeEventListener('storage', onStorage);
      };
    },
    set(session) {
      notice.set(null);
      localStorage.setItem(KEY, JSON.stringify(session));
      tell();
    },
    end(why) {
      notice.set(why ?? null);
      localStorage.removeItem(KEY);
      tell();
    },
  };
}

function parseSession(stored: string | null): Session | null {
  if (stored === null) return null;
  try {
    const session = JSON.parse(stored) as Partial<Session> | null;
    const usable =
      typeof session?.accessToken === 'string' &&
      typeof session.refreshToken === 'string' &&
      typeof session.user?.id === 'string';
    return usable ? (session as Session) : null;
  } catch {
    return null;
  }
}
