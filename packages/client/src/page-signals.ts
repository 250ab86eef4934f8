import type { PageSignals } from './ports.js';

/** The events of the page the client runs in; without a page always online and silent. */
export function createPageSignals(): PageSignals {
  // Workers and Node have some of these or none.
  const host = globalThis as {
    navigator?: { readonly onLine?: boolean };
    document?: EventTarget & { readonly visibilityState?: string };
    addEventListener?: EventTarget['addEventListener'];
  };
  return {
    get online() {
      return host.navigator?.onLine !== false;
    },
    subscribe(listener) {
      const end = new AbortController();
      const { signal } = end;
      for (const type of ['online', 'offline'] as const) {
        host.addEventListener?.(type, () => listener(type), { signal });
      }
      host.document?.addEventListener(
        'visibilitychange',
        () => {
          if (host.document?.visibilityState === 'visible') listener('visible');
        },
        { signal },
      );
      return () => end.abort();
    },
  };
}
