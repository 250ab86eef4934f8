import { describe, expect, it } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import { launchBrowser } from '../harness/browser.js';
import { answerIs, ask, numberShown, signUp } from '../harness/chat-page.js';
import { chromiumPath } from '../harness/chromium.mjs';
import { createHarness, type Harness, type HttpUser, until } from '../harness/index.js';

const TEST_MS = 180_000;
const INTERRUPTED = 'The server stopped in the middle of this answer.';
const LIVE = '[data-testid="connection"][data-state="live"]';
const AWAY = '[data-testid="connection"]:not([data-state="live"])';
const OVER_HTTP = `${LIVE}[data-transport="sse"]`;

const inBrowser = chromiumPath() === undefined ? it.skip : it;

/** A page that shows an answer, and what stands between it and the server. */
interface Scene {
  readonly harness: Harness;
  readonly context: BrowserContext;
  readonly page: Page;
}

/** What happens to a page in the middle of an answer. Each settles when the page is live again, by itself. */
const BLOWS = {
  'it is reloaded': async ({ page }) => {
    await page.reload();
    await page.locator(LIVE).waitFor();
  },
  'its network goes and comes back': async ({ harness, context, page }) => {
    await context.setOffline(true);
    // Chromium, told that it is offline, keeps the sockets it has.
    harness.proxy.takeDown();
    await page.locator(AWAY).waitFor();
    harness.proxy.restore();
    await context.setOffline(false);
    await page.locator(LIVE).waitFor();
  },
  'WebSockets are blocked from now on': async ({ harness, page }) => {
    harness.proxy.blockWebSockets();
    harness.proxy.cut();
    await page.locator(OVER_HTTP).waitFor();
  },
} as const satisfies Record<string, (scene: Scene) => Promise<void>>;

describe('a page in the middle of an answer (needs Chromium: apt-get install chromium, or CHROMIUM_PATH)', () => {
  inBrowser.each(Object.entries(BLOWS))(
    '[BR-4] shows the whole answer, once, although %s',
    async (_what, strike) => {
      await using fire = await underFire();
      const { page } = fire;
      await ask(page, 'count to 300 at 50 per second');
      await numberShown(page, 50);
      await strike(fire);
      await answerIs(page, counted(300));
      expect(await page.getByTestId('message').count()).toBe(2);
    },
    TEST_MS,
  );

  inBrowser(
    '[BR-7] shows the text so far and that the answer was cut off, when its server is killed; the next message is answered',
    async () => {
      await using fire = await underFire();
      const { harness, page } = fire;
      await ask(page, 'count to 500 at 50 per second');
      await numberShown(page, 60);
      await harness.restart({ signal: 'SIGKILL' });
      await page.locator(LIVE).waitFor();
      await endsInterrupted([page], fire.user);
      await ask(page, 'what is 7 * 8?');
      await page.getByTestId('answer-text').filter({ hasText: 'The answer is 56.' }).waitFor();
      expect(await page.getByTestId('message').count()).toBe(4);
    },
    TEST_MS,
  );

  inBrowser(
    '[BR-4, BR-6, BR-7] stays right through all of it in one answer, and so does a second tab',
    async () => {
      await using fire = await underFire();
      const { harness, context, page } = fire;
      await ask(page, 'count to 3000 at 50 per second');
      await numberShown(page, 50);
      const second = await context.newPage();
      await second.goto(page.url());
      let shown = 100;
      for (const strike of Object.values(BLOWS)) {
        await strike(fire);
        for (const tab of [page, second]) await numberShown(tab, shown);
        shown += 100;
      }
      await harness.restart({ signal: 'SIGKILL' });
      for (const tab of [page, second]) await tab.locator(OVER_HTTP).waitFor();
      await endsInterrupted([page, second], fire.user);
      await ask(second, 'what is 7 * 8?');
      for (const tab of [page, second]) {
        await tab.getByTestId('answer-text').filter({ hasText: 'The answer is 56.' }).waitFor();
        expect(await tab.getByTestId('message').count()).toBe(4);
      }
    },
    TEST_MS,
  );
});

/** A server behind a network that can be broken, and a page on it whose user has just signed up. */
async function underFire(): Promise<Scene & { readonly user: HttpUser } & AsyncDisposable> {
  const harness = await createHarness({ network: {} });
  const browser = await launchBrowser();
  const context = await browser.open();
  const page = await context.newPage();
  const user = await signUp(harness, page);
  return {
    harness,
    context,
    page,
    user,
    async [Symbol.asyncDispose]() {
      try {
        await browser[Symbol.asyncDispose]();
      } finally {
        await harness[Symbol.asyncDispose]();
      }
    },
  };
}

/** The run was cut off: pages say so, and their text is that of the stored answer, to the byte. */
async function endsInterrupted(pages: readonly Page[], user: HttpUser): Promise<void> {
  const stored = await storedAnswer(user);
  expect(counted(3_000).startsWith(stored)).toBe(true);
  expect(stored.length).toBeGreaterThan(counted(60).length);
  for (const page of pages) {
    await page.getByTestId('answer-ending').filter({ hasText: INTERRUPTED }).waitFor();
    await answerIs(page, stored);
  }
}

async function storedAnswer(user: HttpUser): Promise<string> {
  let text = '';
  await until(15_000, 'the stored answer', async () => {
    const { body: threads } = await user.call('GET', '/api/threads');
    const { body } = await user.call('GET', `/api/threads/${threads.items[0].id}`);
    const answer = body.messages.items.find((message: { role: string }) => message.role === 'assistant');
    const parts: readonly { type: string; text: string }[] = answer?.parts ?? [];
    text = parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
    return answer !== undefined;
  });
  return text.trim();
}

function counted(to: number): string {
  return Array.from({ length: to }, (_, index) => index + 1).join(' ');
}
