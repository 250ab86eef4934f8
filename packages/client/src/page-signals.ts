import type { PageSignals } from './contract.js';

/** The events of the page the client runs in; without a page always online and silent. */
export function createPageSignals(): PageSignals {
  // Workers and Node have some of these or none.
  const host = globalThis as {
    navigator?: { readonly onLine?: boolean };
    document?: EventTarget & { readonly visibilityState?: string };
    addEventListener?: EventTarget['addEventListener'];
    removeEventListener?: EventTarget['removeEventListener'];
  };
  return {
    get online() {
      return host.navigator?.onLine !== false;
    },
    subscribe(listener) {
      const online = (): void => listener('online');
      const offline = (): void => listener('offline');
      const shown = (): void => {
        if (host.document?.visibilityState === 'visible') listener('visible');
      };
      host.addEventListener?.('online', online);
      host.addEventListener?.('offline', offline);
      host.document?.addEventListener('visibilitychange', shown);
      return () => {
        host.removeEventListener?.('online', online);
        host.removeEventListener?.('offline', offline);
        host.document?.removeEventListener('visibilitychange', shown);
      };
    },
  };
}
