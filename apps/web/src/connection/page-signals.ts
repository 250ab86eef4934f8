import type { PageSignals } from '@runwire/client';

/** The page's own signals, and a way to try again at once. */
export interface RetryableSignals extends PageSignals {
  /** Ends a wait for the next attempt, as becoming visible does. */
  retryNow(): void;
}

/** Creates the signals of this page. */
export function createRetryableSignals(): RetryableSignals {
  const listeners = new Set<(signal: 'online' | 'offline' | 'visible') => void>();
  return {
    get online() {
      return navigator.onLine;
    },
    subscribe(listener) {
      const online = (): void => listener('online');
      const offline = (): void => listener('offline');
      const shown = (): void => {
        if (document.visibilityState === 'visible') listener('visible');
      };
      listeners.add(listener);
      addEventListener('online', online);
      addEventListener('offline', offline);
      document.addEventListener('visibilitychange', shown);
      return () => {
        listeners.delete(listener);
        removeEventListener('online', online);
        removeEventListener('offline', offline);
        document.removeEventListener('visibilitychange', shown);
      };
    },
    retryNow() {
      for (const listener of listeners) listener('visible');
    },
  };
}
