import { type MouseEvent, useSyncExternalStore } from 'react';

/** Which page the address means. */
export type Route = { readonly kind: 'new' } | { readonly kind: 'thread'; readonly threadId: string };

const CHANGED = 'runwire:navigated';

/** The address of a thread. */
export function threadPath(threadId: string): string {
  return `/threads/${encodeURIComponent(threadId)}`;
}

/** Goes to `path` without loading the page again. */
export function navigate(path: string, how: 'push' | 'replace' = 'push'): void {
  if (path === location.pathname) return;
  if (how === 'replace') history.replaceState(null, '', path);
  else history.pushState(null, '', path);
  dispatchEvent(new Event(CHANGED));
}

/** The route of the address, renewed when it changes. */
export function useRoute(): Route {
  return routeOf(useSyncExternalStore(subscribe, () => location.pathname));
}

/** What a link of the page does on a click: opens in place, unless another tab or window was asked for. */
export function followInPlace(event: MouseEvent<HTMLAnchorElement>): boolean {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return false;
  event.preventDefault();
  navigate(event.currentTarget.pathname);
  return true;
}

/** Reads a path; what is unknown is a new chat. */
function routeOf(path: string): Route {
  const encoded = /^\/threads\/([^/]+)\/?$/.exec(path)?.[1];
  if (encoded === undefined) return { kind: 'new' };
  try {
    return { kind: 'thread', threadId: decodeURIComponent(encoded) };
  } catch {
    return { kind: 'new' };
  }
}

function subscribe(listener: () => void): () => void {
  addEventListener('popstate', listener);
  addEventListener(CHANGED, listener);
  return () => {
    removeEventListener('popstate', listener);
    removeEventListener(CHANGED, listener);
  };
}
