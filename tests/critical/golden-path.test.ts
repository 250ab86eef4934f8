import { describe, expect, it } from '@jest/globals';
import { callHttp, createHarness, textOf, until } from '../harness/index.js';

/** What people wait for before they take it for broken. */
const CONNECT_MS = 2_000;
const FIRST_EVENT_MS = 5_000;
const ANSWER_MS = 10_000;

const QUESTION = 'what is 2 + 3 * 4?';
const ANSWER = 'The answer is 14.';

describe('the golden path', () => {
  it.each(['websocket', 'sse'] as const)(
    '[QA-1, AU-1, BR-1, BR-2] chat is down over %s: who signs up, signs in, connects and asks gets the five events in order and the whole answer',
    async (transport) => {
      await using harness = await createHarness();
      const user = await harness.register();
      const { status, body: session } = await callHttp(harness.url, {
        method: 'POST',
        path: '/auth/login',
        body: { email: user.email, password: user.password },
      });
      expect([status, session.user.id]).toEqual([200, user.id]);
      expect(session.accessToken).not.toBe(user.accessToken);

      const client = harness.client(user, { transport, getToken: async () => session.accessToken });
      const seen: { readonly type: string; readonly runId?: string; readonly data?: unknown }[] = [];
      client.onEvent((event) => void seen.push(event));
      const begunAtMs = performance.now();
      await client.connect();
      expect(client.transport).toBe(transport);
      expect(performance.now() - begunAtMs).toBeLessThan(CONNECT_MS);

      const askedAtMs = performance.now();
      const { runId, threadId } = await client.send({ content: QUESTION });
      await until(FIRST_EVENT_MS, 'the first event', () => seen.some(({ type }) => type === 'agent_started'));
      await until(ANSWER_MS, 'the answer', () => seen.some(({ type }) => type === 'agent_completed'));
      expect(performance.now() - askedAtMs).toBeLessThan(ANSWER_MS);
      expect(seen.map(({ type }) => type).filter((type) => type !== 'agent_delta')).toEqual([
        'thread_created',
        'message_added',
        'agent_started',
        'agent_thinking',
        'tool_executing',
        'tool_completed',
        'agent_completed',
      ]);
      expect(seen.at(-1)?.data).toMatchObject({ status: 'completed', result: ANSWER });
      expect(textOf(seen, runId)).toBe(ANSWER);

      // Whoever opens the thread now sees the same as who watched.
      const { body: thread } = await user.call('GET', `/api/threads/${threadId}`);
      const [question, answer] = thread.messages.items;
      expect(question).toMatchObject({ role: 'user', parts: [{ text: QUESTION }] });
      expect(answer).toMatchObject({ role: 'assistant', run: { status: 'completed' } });
      expect(answer.parts.at(-1)).toMatchObject({ type: 'text', text: ANSWER });
    },
  );
});
