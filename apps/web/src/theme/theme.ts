import { useSyncExternalStore } from 'react';

/** How the page looks. */
export type Theme = 'light' | 'dark';

const KEY = 'runwire.theme';
const CHANGED = 'runwire:theme';
const DARK = '(prefers-color-scheme: dark)';

/** Shows the chosen theme; without a choice the system's. */
export function applyTheme(): void {
  const chosen = storedTheme();
  if (chosen === undefined) delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = chosen;
}

/** Chooses a theme, for all tabs. */
export function chooseTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  applyTheme();
  dispatchEvent(new Event(CHANGED));
}

/** The theme that is shown. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, shownTheme);
}

function shownTheme(): Theme {
  return storedTheme() ?? (matchMedia(DARK).matches ? 'dark' : 'light');
}

function storedTheme(): Theme | undefined {
  const stored = localStorage.getItem(KEY);
  return stored === 'light' || stored === 'dark' ? stored : undefined;
}

function subscribe(listener: () => void): () => void {
  const changed = (): void => {
    applyTheme();
    listener();
  };
  const system = matchMedia(DARK);
  addEventListener('storage', changed);
  addEventListener(CHANGED, listener);
  system.addEventListener('change', listener);
  return () => {
    removeEventListener('storage', changed);
    removeEventListener(CHANGED, listener);
    system.removeEventListener('change', listener);
  };
}
