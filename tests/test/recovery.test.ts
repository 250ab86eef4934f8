import { describe, expect, it } from '@jest/globals';
import { createHarness, type Harness, type HttpUser, textOf, until } from '../harness/index.js';

/** Crashes come from outside here; the agents of the tests are what is needed. */
const WITH_TEST_AGENTS = { faults: {} } as const;
const TEST_MS = 120_000;

interface Started {
  readonly threadId: string;
  readonly runId: string;
}

describe('a server that is killed in the middle of an answer', () => {
  it(
    '[BR-7, TH-1] is back with the same log; clients resume, and the run has ended once, interrupted, with its text',
    async () => {
      await using harness = await createHarness({ network: {} });
      const user = await harness.register();
      const client = harness.client(user, { start: 'beginning' });
      await client.connect();
      const seen: { type: string; runId?: string; data: unknown }[] = [];
      client.onEvent((event) => void seen.push(event as (typeof seen)[number]));
      const { runId, threadId } = (await client.send({
        content: 'count to 3000 at 100 per second',
      })) as Started;
      await until(10_000, 'a good part of the answer', () => textOf(seen, runId).length > 200);
      const epoch = client.cursor?.epoch;
      await harness.restart();
      await until(20_000, 'the end of the run', () => seen.some(({ type }) => type === 'agent_completed'));

      expect(client.cursor?.epoch).toBe(epoch);
      expect(client.stats.resets).toBe(0);
      const ends = seen.filter(({ type }) => type === 'agent_completed');
      expect(ends).toMatchObject([
        { runId, data: { status: 'interrupted', error: { code: 'RUN_INTERRUPTED' } } },
      ]);
      const { body: run } = await user.call('GET', `/api/runs/${runId}`);
      expect(run).toMatchObject({ status: 'interrupted', attempt: 1 });
      // What was streamed, what is stored and what the thread shows are the same text.
      const { body: snapshot } = await user.call('GET', `/api/threads/${threadId}`);
      const [, answer] = snapshot.messages.items;
      expect(answer).toMatchObject({ id: run.answerId, role: 'assistant', run: { status: 'interrupted' } });
      expect(textIn(answer.parts)).toBe(textOf(seen, runId));
      expect(snapshot).toMatchObject({ runs: [], cursor: { epoch, seq: client.cursor?.seq } });
      const { body: events } = await user.call('GET', `/api/runs/${runId}/events`);
      expect(events.items.at(0).type).toBe('message_added');
      expect(events.items.at(-1)).toMatchObject({ type: 'agent_completed', data: { status: 'interrupted' } });
      // The thread is free for the next message.
      await client.send({ threadId, content: 'what is 6 * 7?' });
      await until(
        10_000,
        'the next answer',
        () => seen.filter(({ type }) => type === 'agent_completed').length === 2,
      );
    },
    TEST_MS,
  );

  it(
    '[BR-7] begins the run of an agent with retryOnCrash again: attempt 2 supersedes the first and completes',
    async () => {
      await using harness = await createHarness({ network: {}, ...WITH_TEST_AGENTS });
      const user = await harness.register();
      const client = harness.client(user, { start: 'beginning' });
      await client.connect();
      const { applyRunEvent, answerText } = await import('@runwire/client');
      let view: Parameters<typeof applyRunEvent>[0];
      client.onEvent((event) => {
        view = applyRunEvent(view, event);
      });
      const { runId, threadId } = (await client.send({ content: 'hello', agent: 'begins-again' })) as Started;
      await until(
        10_000,
        'a good part of the first attempt',
        () => answerText(view?.parts ?? []).length > 200,
      );
      const first = view?.messageId;
      expect(answerText(view?.parts ?? [])).toContain('1:hello:1 ');
      await harness.restart();
      await until(20_000, 'the second attempt', () => view?.attempt === 2);
      expect((await user.call('GET', `/api/runs/${runId}`)).body).toMatchObject({
        attempt: 2,
        status: 'running',
      });
      const { body: during } = await user.call('GET', `/api/threads/${threadId}`);
      expect(during.runs).toMatchObject([{ runId, attempt: 2, messageId: view?.messageId }]);
      await until(20_000, 'the end', () => view?.status === 'completed');

      expect(view?.messageId).not.toBe(first);
      const text = Array.from({ length: 200 }, (_, index) => `2:hello:${index + 1} `).join('');
      expect(answerText(view?.parts ?? [])).toBe(text);
      const { body: run } = await user.call('GET', `/api/runs/${runId}`);
      expect(run).toMatchObject({ status: 'completed', attempt: 2, answerId: view?.messageId });
      const { body: snapshot } = await user.call('GET', `/api/threads/${threadId}`);
      expect(snapshot.messages.items).toHaveLength(2);
      expect(textIn(snapshot.messages.items[1].parts)).toBe(text);
    },
    TEST_MS,
  );

  it(
    '[BR-7] ends the run interrupted in its third attempt, when that is killed too',
    async () => {
      await using harness = await createHarness({ network: {}, ...WITH_TEST_AGENTS });
      const user = await harness.register();
      const { runId } = await ask(harness, user, 'again', 'begins-again');
      for (let attempt = 1; attempt <= 3; attempt += 1) {
        await inAttempt(user, runId, attempt);
        await harness.restart();
      }
      const { body: run } = await user.call('GET', `/api/runs/${runId}`);
      expect(run).toMatchObject({ status: 'interrupted', attempt: 3 });
      const { body: events } = await user.call('GET', `/api/runs/${runId}/events`);
      const starts = events.items.filter(({ type }: { type: string }) => type === 'agent_started');
      expect(starts.map(({ data }: { data: { attempt: number } }) => data.attempt)).toEqual([1, 2, 3]);
      expect(events.items.at(-1)).toMatchObject({
        type: 'agent_completed',
        data: { messageId: run.answerId },
      });
    },
    TEST_MS,
  );
});

describe('a run that nobody watches', () => {
  it(
    '[AG-4, TH-1] completes, and is there on return, also when the server was killed meanwhile',
    async () => {
      await using harness = await createHarness({ network: {} });
      const user = await harness.register();
      const tab = harness.bare(user);
      await tab.untilControl('caught_up');
      const { runId } = await ask(harness, user, 'count to 200 at 100 per second');
      await tab.until('a delta', ({ type }) => type === 'agent_delta');
      tab.cut();
      await until(10_000, 'the end', async () => {
        const { body } = await user.call('GET', `/api/runs/${runId}`);
        return body.status === 'completed';
      });
      await harness.restart();
      const back = harness.bare(user, { resume: tab.cursor });
      const established = await back.untilControl('connection_established');
      expect(established['resume']).toEqual({ mode: 'replay', from: tab.cursor.seq + 1 });
      await back.untilControl('caught_up');
      expect(back.events.at(-1)).toMatchObject({
        runId,
        type: 'agent_completed',
        data: { status: 'completed' },
      });
      const whole = Array.from({ length: 200 }, (_, index) => index + 1).join(' ');
      expect(textOf([...tab.events, ...back.events], runId)).toBe(whole);
    },
    TEST_MS,
  );
});

/** Asks without a connection. */
async function ask(harness: Harness, user: HttpUser, content: string, agent?: string): Promise<Started> {
  const { body: thread } = await user.call('POST', '/api/threads', {});
  const message = agent === undefined ? { content } : { content, agent };
  const { status, body } = await user.call('POST', `/api/threads/${thread.id}/messages`, message);
  if (status !== 202) throw new Error(`${harness.url} answered ${status}: ${JSON.stringify(body)}`);
  return body as Started;
}

/** Settles when the attempt has said something. */
async function inAttempt(user: HttpUser, runId: string, attempt: number): Promise<void> {
  await until(20_000, `attempt ${attempt} of ${runId}`, async () => {
    const { body } = await user.call('GET', `/api/runs/${runId}/events`);
    const kinds = body.items as readonly { type: string; data: { attempt?: number } }[];
    const start = kinds.findIndex(
      (event) => event.type === 'agent_started' && event.data.attempt === attempt,
    );
    return start !== -1 && kinds.slice(start).some(({ type }) => type === 'agent_delta');
  });
}

function textIn(parts: readonly { readonly type: string; readonly text?: string }[]): string {
  return parts.map(({ type, text = '' }) => (type === 'text' ? text : '')).join('');
}
