import { describe, expect, it } from '@jest/globals';
import { launchBrowser } from '../harness/browser.js';
import { answerIs, ask, numberShown, signedUp } from '../harness/chat-page.js';
import { chromiumPath } from '../harness/chromium.mjs';
import { createHarness } from '../harness/index.js';

const COUNT_500 = Array.from({ length: 500 }, (_, index) => index + 1).join(' ');
const TEST_MS = 120_000;

const inBrowser = chromiumPath() === undefined ? it.skip : it;

describe('the chat in a browser (needs Chromium: apt-get install chromium, or CHROMIUM_PATH)', () => {
  inBrowser(
    '[AU-1, BR-2] signs up, asks, sees the agent think, the calculator run and the answer',
    async () => {
      await using harness = await createHarness();
      await using browser = await launchBrowser();
      const page = await signedUp(harness, await (await browser.open()).newPage());
      await ask(page, 'what is 2 + 3 * 4?');
      const tool = page.getByTestId('tool-call');
      await tool.waitFor();
      expect(await tool.getAttribute('data-tool')).toBe('calculator');
      await page.waitForFunction(() =>
        document.querySelector('[data-testid="answer-text"]')?.textContent?.includes('14'),
      );
      await page.locator('[data-testid="tool-call"][data-status="success"]').waitFor();
      expect(await page.getByTestId('message').count()).toBe(2);
      expect(browser.problems).toEqual([]);
    },
    TEST_MS,
  );

  inBrowser(
    '[BR-4, BR-6] misses nothing over a reload in the middle of an answer, and shows it live in a second tab',
    async () => {
      await using harness = await createHarness();
      await using browser = await launchBrowser();
      const context = await browser.open();
      const page = await signedUp(harness, await context.newPage());
      await ask(page, 'count to 500 at 50 per second');
      await numberShown(page, 60);
      const second = await context.newPage();
      await second.goto(page.url());
      await numberShown(second, 90);
      await page.reload();
      await numberShown(page, 120);
      await answerIs(page, COUNT_500);
      await answerIs(second, COUNT_500);
      expect(await page.getByTestId('message').count()).toBe(2);
      expect(browser.problems).toEqual([]);
    },
    TEST_MS,
  );

  inBrowser(
    '[BR-4] says that the network is away, and goes on by itself when it is back',
    async () => {
      await using harness = await createHarness({ network: {} });
      await using browser = await launchBrowser();
      const page = await signedUp(harness, await (await browser.open()).newPage());
      await ask(page, 'count to 300 at 50 per second');
      await numberShown(page, 40);
      harness.proxy.takeDown();
      await page.locator('[data-testid="connection"]:not([data-state="live"])').waitFor();
      harness.proxy.restore();
      await answerIs(page, COUNT_500.split(' ').slice(0, 300).join(' '));
      await page.locator('[data-testid="connection"][data-state="live"]').waitFor();
      expect(await page.getByTestId('message').count()).toBe(2);
    },
    TEST_MS,
  );

  inBrowser(
    '[AG-5] stops when asked, from a second tab too',
    async () => {
      await using harness = await createHarness();
      await using browser = await launchBrowser();
      const context = await browser.open();
      const page = await signedUp(harness, await context.newPage());
      await ask(page, 'count to 5000 at 50 per second');
      await numberShown(page, 20);
      const second = await context.newPage();
      await second.goto(page.url());
      await second.getByRole('button', { name: 'Stop' }).click();
      await page.getByRole('button', { name: 'Stop' }).waitFor({ state: 'detached' });
      await page
        .getByText(/stopped/i)
        .first()
        .waitFor();
    },
    TEST_MS,
  );

  inBrowser(
    'offers to stop a running answer and send, when a thread is busy',
    async () => {
      await using harness = await createHarness();
      await using browser = await launchBrowser();
      const page = await signedUp(harness, await (await browser.open()).newPage());
      await ask(page, 'wait 20 seconds');
      await page.locator('[data-testid="tool-call"][data-status="running"]').waitFor();
      await page.getByLabel('Message', { exact: true }).fill('what is 7 * 8?');
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Stop it and send' }).click();
      await page.getByTestId('answer-text').filter({ hasText: '56' }).waitFor();
      expect(await page.getByTestId('message').count()).toBe(4);
    },
    TEST_MS,
  );

  inBrowser(
    'shows a failed tool, and keeps the text of a refused message with what to do',
    async () => {
      await using harness = await createHarness();
      await using browser = await launchBrowser();
      const page = await signedUp(harness, await (await browser.open({ dark: true, width: 400 })).newPage());
      await ask(page, 'what is 1 / 0?');
      await page.locator('[data-testid="tool-call"][data-status="error"]').waitFor();
      await page
        .getByText(/Division by zero/)
        .first()
        .waitFor();
      expect(browser.problems).toEqual([]);
    },
    TEST_MS,
  );

  inBrowser(
    '[AU-3] stays signed in over the expiry of its access token, in two tabs',
    async () => {
      await using harness = await createHarness({ env: { RUNWIRE_ACCESS_TOKEN_LIFETIME_MS: '4000' } });
      await using browser = await launchBrowser();
      const context = await browser.open();
      const page = await signedUp(harness, await context.newPage());
      await ask(page, 'count to 400 at 50 per second');
      await numberShown(page, 20);
      const second = await context.newPage();
      await second.goto(page.url());
      const expected = COUNT_500.split(' ').slice(0, 400).join(' ');
      await answerIs(page, expected);
      await answerIs(second, expected);
      await ask(second, 'what is 5 * 5?');
      await page.waitForFunction(() =>
        document.querySelector('[data-testid="messages"]')?.textContent?.includes('25'),
      );
    },
    TEST_MS,
  );
});
