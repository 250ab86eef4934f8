import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { endedRun, startRun } from '../harness/http-run.js';
import {
  type BareMessage,
  createHarness,
  type Harness,
  type HttpUser,
  textOf,
  until,
} from '../harness/index.js';

const USERS = 20;
const EVENT_KINDS = [
  'agent_started',
  'agent_thinking',
  'tool_executing',
  'tool_completed',
  'agent_completed',
];

describe('what users are shown', () => {
  it('[QA-1, BR-1, BR-9, MG-3] all users see nothing while the server counts its events as sent: 20 users see everything, and each run says which connection applied its end', async () => {
    await using harness = await createHarness();
    const users = await Promise.all(Array.from({ length: USERS }, () => harness.register()));
    await Promise.all(users.map((user, index) => seesEverything(harness, user, index)));
    const metrics = await harness.metrics();
    const [appended, sent, acked] = ['appended', 'sent', 'acked'].map((step) =>
      metrics.get(`runwire_events_${step}_total`),
    );
    expect([sent, acked]).toEqual([appended, appended]);
  });

  it('[QA-1, BR-3, BR-4, BR-7, AG-4] events are dropped when nobody seems connected: an answer that was made meanwhile is whole when its user is back, also when the server was killed in between', async () => {
    await using harness = await createHarness({ network: {} });
    const user = await harness.register();
    const client = harness.client(user, { start: 'beginning' });
    const seen: BareMessage[] = [];
    client.onEvent((event) => void seen.push(event as unknown as BareMessage));
    await client.connect();
    const { runId } = await client.send({ content: 'count to 600 at 300 per second' });
    await until(10_000, 'the middle', () => textOf(seen, runId).length > 200);
    harness.proxy.takeDown();
    const shownSoFar = seen.length;
    expect(await endedRun(user, runId)).toMatchObject({ status: 'completed' });
    await harness.restart({ signal: 'SIGKILL' });
    expect(seen).toHaveLength(shownSoFar);
    harness.proxy.restore();
    await until(30_000, 'the answer', () => seen.at(-1)?.type === 'agent_completed');
    expect(textOf(seen, runId)).toBe(countTo(600));
    expect(client.stats).toMatchObject({ resets: 0, gaps: 0 });
  });

  it('[QA-1, BR-2] answers are cut to 500 characters and 10 items: what was streamed, the result and the stored answer are the same, to the last byte, however long', async () => {
    await using harness = await createHarness();
    const user = await harness.register();
    const tab = harness.bare(user);
    await tab.untilControl('caught_up');
    const long = await startRun(user, 'count to 20000');
    const end = await tab.until('the long answer', isEndOf(long));
    const { body: thread } = await user.call('GET', `/api/threads/${end.threadId}`);
    const shown = [end['data'].result, textOf(tab.events, long), thread.messages.items[1].parts.at(-1).text];
    expect(shown.map(brief)).toEqual(Array(3).fill(brief(countTo(20_000))));
    // Larger than an event may be: the event has its address instead.
    const huge = await startRun(user, 'write 400 KB');
    const { resultUrl, result } = (await tab.until('the huge answer', isEndOf(huge)))['data'];
    expect(result).toBeUndefined();
    const { body: stored } = await user.call('GET', resultUrl);
    expect([stored.length, brief(stored)]).toEqual([400_000, brief(textOf(tab.events, huge))]);
  });

  it.each([
    ['throws', 'failed'],
    ['returns-nothing', 'failed'],
    ['hangs', 'timed_out'],
  ])(
    '[QA-1, AG-3] an agent that %s dies in silence: its user is told once, in words, and can go on',
    async (agent, status) => {
      await using harness = await createHarness({ faults: {} });
      const user = await harness.register();
      const tab = harness.bare(user, { resume: { seq: 0 } });
      await tab.untilControl('caught_up');
      tab.send({ type: 'user_message', id: 'first', content: 'are you there?', agent });
      const { threadId, runId } = (await accepted(tab, 'first'))['result'];
      const end = await tab.until('the end', isEndOf(runId));
      expect(end['data']).toMatchObject({
        status,
        error: { message: expect.stringMatching(/^[A-Z].{20,}[.?!]$/) },
      });
      expect(JSON.stringify(tab.events)).not.toMatch(/secret|node_modules|\n\s+at /);
      tab.send({ type: 'user_message', id: 'second', threadId, content: 'what is 6 * 7?' });
      const next = (await accepted(tab, 'second'))['result'].runId;
      expect((await tab.until('the next answer', isEndOf(next)))['data'].result).toContain('42');
      const ends = tab.events.filter(({ type }) => type === 'agent_completed');
      expect(ends.map((event) => event.runId)).toEqual([runId, next]);
    },
  );
});

/** One user's client, over either transport, is handed a whole answer that the server knows to be applied. */
async function seesEverything(harness: Harness, user: HttpUser, index: number): Promise<void> {
  const transport = index % 2 === 0 ? 'websocket' : 'sse';
  const client = harness.client(user, { transport, start: 'beginning' });
  const seen: BareMessage[] = [];
  client.onEvent((event) => void seen.push(event as unknown as BareMessage));
  await client.connect();
  const { runId, threadId } = await client.send({ content: `what is ${index} + 1?` });
  await until(20_000, `the answer to user ${index}`, () => seen.at(-1)?.type === 'agent_completed');
  const own = seen.filter((event) => event.threadId === threadId).map(({ type }) => type);
  expect(own.filter((type) => EVENT_KINDS.includes(type))).toEqual(EVENT_KINDS);
  expect(seen.at(-1)?.['data'].result).toBe(`The answer is ${index + 1}.`);
  await until(10_000, 'the acknowledgement', async () => {
    const { body } = await user.call('GET', `/api/runs/${runId}/delivery`);
    return body.appliedBy.length === 1;
  });
}

async function accepted(tab: ReturnType<Harness['bare']>, ref: string): Promise<BareMessage> {
  return await tab.until(
    `the answer to ${ref}`,
    (message) => message.type === 'command_accepted' && message['ref'] === ref,
  );
}

function isEndOf(runId: string): (event: BareMessage) => boolean {
  return (event) => event.type === 'agent_completed' && event.runId === runId;
}

/** Two texts are equal if these are: no failure prints a hundred thousand characters. */
function brief(text: string): string {
  return `${text.length} characters, ${createHash('sha256').update(text).digest('hex')}`;
}

function countTo(last: number): string {
  return Array.from({ length: last }, (_, index) => index + 1).join(' ');
}
