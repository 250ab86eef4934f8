import { describe, expect, it } from '@jest/globals';
import { openRawSocket, type Said } from './support/raw-socket.js';
import { type Started, start } from './support/started.js';

const ended = ({ type }: Said): boolean => type === 'agent_completed';

/** One user's conversation, over a socket and HTTP. */
async function converse(started: Started, email: string, count: number) {
  const token = await started.register(email);
  using socket = await openRawSocket(started.server.port, token);
  await socket.hear(({ type }) => type === 'caught_up');
  const made = await started.call('POST', '/api/threads', { token, body: { title: email } });
  const path = `/api/threads/${made.body.id}`;
  const said = await started.call('POST', `${path}/messages`, {
    token,
    body: { content: `count to ${count}` },
  });
  expect(said.status).toBe(202);
  await socket.hear(ended);
  const { body } = await started.call('GET', path, { token });
  const parts: readonly { type: string; text?: string }[] = body.messages.items.at(-1).parts;
  const answer = parts.find(({ type }) => type === 'text')?.text;
  return { token, said: socket.said, threadId: made.body.id, answer };
}

const numbersTo = (count: number): string => Array.from({ length: count }, (_, index) => index + 1).join(' ');

describe('two servers in one process', () => {
  it('[MG-4] serve two users at once and share nothing', async () => {
    await using one = await start();
    await using other = await start();
    const email = 'somebody@example.org';
    const [a, b] = await Promise.all([converse(one, email, 200), converse(other, email, 120)]);

    expect(a.answer).toBe(numbersTo(200));
    expect(b.answer).toBe(numbersTo(120));
    const threadsOf = (said: readonly Said[]) =>
      new Set(said.map((message) => message['threadId']).filter((id) => id !== undefined));
    expect(threadsOf(a.said)).toEqual(new Set([a.threadId]));
    expect(threadsOf(b.said)).toEqual(new Set([b.threadId]));

    // The token of one is nothing to the other, on HTTP and on the socket.
    await expect(other.call('GET', '/auth/me', { token: a.token })).resolves.toMatchObject({ status: 401 });
    using stranger = await openRawSocket(other.server.port, a.token);
    await expect(stranger.closed).resolves.toBe(4401);
    await expect(other.call('GET', `/api/threads/${a.threadId}`, { token: b.token })).resolves.toMatchObject({
      status: 404,
    });
  }, 20_000);

  it('[MG-4] count, limit and end each on its own', async () => {
    await using one = await start({ RUNWIRE_MAX_ATTEMPTS_PER_ACCOUNT: '1' });
    await using other = await start();
    await converse(one, 'somebody@example.org', 3);
    const wrong = { body: { email: 'guessed@example.org', password: 'guess' } };
    const guess = async (started: Started) => (await started.call('POST', '/auth/login', wrong)).status;
    await expect(guess(one)).resolves.toBe(401);
    await expect(guess(one)).resolves.toBe(429);
    await expect(guess(other)).resolves.toBe(401);

    const runs = async (started: Started): Promise<string> =>
      (await started.call('GET', '/metrics')).body.match(/runwire_runs_total\{status="completed"\} (\d+)/)[1];
    await expect(runs(one)).resolves.toBe('1');
    await expect(runs(other)).resolves.toBe('0');

    await one.server.close();
    await expect(converse(other, 'somebody@example.org', 3)).resolves.toMatchObject({ answer: '1 2 3' });
  }, 20_000);
});
