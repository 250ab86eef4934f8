import type { Page } from 'playwright-core';
import type { Harness, HttpUser } from './index.js';

let people = 0;

/** A page whose user has just created an account on it. */
export async function signedUp(harness: Harness, page: Page): Promise<Page> {
  await signUp(harness, page);
  return page;
}

/** Creates an account through the page, known to the harness and to its audit. */
export async function signUp(harness: Harness, page: Page): Promise<HttpUser> {
  people += 1;
  const person = { email: `browser-${people}@example.org`, password: 'a good password' };
  await page.goto(harness.url);
  const toSignUp = page.getByRole('button', { name: /create (an )?account|sign up/i }).first();
  const tab = page.getByRole('tab', { name: /create|sign up/i });
  if ((await tab.count()) > 0) await tab.click();
  else await toSignUp.click();
  await page.getByLabel(/e-?mail/i).fill(person.email);
  await page.getByLabel(/^password/i).fill(person.password);
  await page
    .locator('form')
    .getByRole('button', { name: /create|sign up/i })
    .last()
    .click();
  await page.getByLabel('Message', { exact: true }).waitFor();
  await page.locator('[data-testid="connection"][data-state="live"]').waitFor();
  return await harness.signIn(person);
}

/** Sends a message, and waits until it stands in the thread. */
export async function ask(page: Page, text: string): Promise<void> {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.keyboard.press('Enter');
  await page.locator('[data-testid="message"][data-role="user"]').filter({ hasText: text }).waitFor();
}

/** Waits until the answer has counted so far. */
export async function numberShown(page: Page, number: number): Promise<void> {
  await page.waitForFunction(
    (wanted) => document.querySelector('[data-testid="answer-text"]')?.textContent?.includes(` ${wanted} `),
    number,
    { timeout: 30_000 },
  );
}

/** Waits until the answer is this, to the byte. */
export async function answerIs(page: Page, text: string): Promise<void> {
  await page.waitForFunction(
    (wanted) => document.querySelector('[data-testid="answer-text"]')?.textContent?.trim() === wanted,
    text,
    { timeout: 30_000 },
  );
}
