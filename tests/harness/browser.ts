import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { chromiumPath } from './chromium.mjs';

/** A real browser that talks to nobody but the server under test. */
export interface TestBrowser extends AsyncDisposable {
  /** A page in a profile of its own. */
  open(options?: {
    readonly width?: number;
    readonly height?: number;
    readonly dark?: boolean;
  }): Promise<BrowserContext>;
  /** What pages wrote to their consoles as errors, and their uncaught exceptions. */
  readonly problems: readonly string[];
}

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Launches the machine's Chromium. */
export async function launchBrowser(): Promise<TestBrowser> {
  const executablePath = chromiumPath();
  if (executablePath === undefined)
    throw new Error('No Chromium: apt-get install chromium, or set CHROMIUM_PATH.');
  const browser: Browser = await chromium.launch({ executablePath, args: ARGUMENTS });
  const problems: string[] = [];
  return {
    problems,
    async open({ width = 1_280, height = 800, dark = false } = {}) {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: dark ? 'dark' : 'light',
      });
      context.on('page', (page: Page) => {
        page.on('pageerror', (error) => problems.push(String(error)));
        page.on('console', (message) => {
          // A refused or cut connection is the browser's own line; tests cut connections on purpose.
          if (message.type() === 'error' && !/WebSocket|net::ERR|status of 4/.test(message.text()))
            problems.push(message.text());
        });
      });
      return context;
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}
