import { describe, expect, it } from '@jest/globals';
import {
  type BareClient,
  type BareMessage,
  createHarness,
  type Harness,
  pause,
  textOf,
} from '../harness/index.js';

const COUNT_300 = Array.from({ length: 300 }, (_, index) => index + 1).join(' ');

describe('a client written from PROTOCOL.md alone', () => {
  it('[BR-1, BR-2, AU-1] logs in, asks, gets the five events in order and the answer 14', async () => {
    await using harness = await createHarness();
    const user = await harness.register();
    const login = await fetch(new URL('/auth/login', harness.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: user.email, password: user.password }),
    });
    expect(login.status).toBe(200);
    const { accessToken } = (await login.json()) as { accessToken: string };
    const client = harness.bare(user, { token: accessToken });
    await client.untilControl('caught_up');
    client.send({ type: 'chat', content: 'what is 2 + 3 * 4?' });
    const end = await client.until('the end', ({ type }) => type === 'agent_completed');
    const kinds = client.events.map(({ type }) => type).filter((type) => type !== 'agent_delta');
    expect(kinds).toEqual([
      'thread_created',
      'message_added',
      'agent_started',
      'agent_thinking',
      'tool_executing',
      'tool_completed',
      'agent_completed',
    ]);
    expect(end['data']).toMatchObject({ status: 'completed' });
    expect(end['data'].result).toContain('14');
    expect(textOf(client.events, end.runId ?? '')).toBe(end['data'].result);
    expect(client.control.filter(({ type }) => type === 'error')).toEqual([]);
  });

  it('[WS-4] starts a run with {"type":"chat","content":"test"} and is not answered by an error', async () => {
    await using harness = await createHarness();
    const client = harness.bare(await harness.register());
    await client.untilControl('caught_up');
    client.send({ type: 'chat', content: 'test' });
    await client.untilControl('command_accepted');
    await client.until('the end', ({ type }) => type === 'agent_completed');
    expect(client.control.filter(({ type }) => type === 'error' || type === 'command_rejected')).toEqual([]);
  });

  it.each([
    ['acks', true],
    ['no acks', false],
  ])('[BR-4] resumes with its cursor in the middle of a count, with %s', async (_label, acks) => {
    await using harness = await createHarness();
    const user = await harness.register();
    const first = harness.bare(user, { acks });
    await first.untilControl('caught_up');
    first.send({ type: 'chat', content: 'count to 300 at 100 per second' });
    await first.until('the middle', (event) => offsetOf(event) > 300);
    first.cut();
    await pause(300);
    const second = harness.bare(user, { acks, resume: first.cursor });
    await expectWholeCount([first, second]);
    expect(second.control[0]).toMatchObject({ resume: { mode: 'replay', from: first.cursor.seq + 1 } });
  });

  it('[BR-4, WS-8] misses nothing when its reader pauses for 5 s', async () => {
    await using harness = await createHarness();
    const client = harness.bare(await harness.register());
    await client.untilControl('caught_up');
    client.send({ type: 'chat', content: 'count to 300 at 100 per second' });
    await client.until('the first numbers', (event) => offsetOf(event) > 50);
    client.pauseReading();
    await pause(5_000);
    client.resumeReading();
    await expectWholeCount([client]);
    expect(client.closed).toBeUndefined();
  });

  it('[BR-3] gets what was emitted while nobody was connected, with its cursor and from the beginning', async () => {
    await using harness = await createHarness();
    const user = await harness.register();
    const first = harness.bare(user);
    await first.untilControl('caught_up');
    first.send({ type: 'chat', content: 'count to 300 at 300 per second' });
    const { runId } = (await first.untilControl('command_accepted'))['result'];
    first.cut();
    await untilRunEnds(harness, user, runId);
    await expectWholeCount([first, harness.bare(user, { resume: first.cursor })]);
    await expectWholeCount([harness.bare(user, { resume: { seq: 0 } })]);
  });
});

function offsetOf(event: BareMessage): number {
  return event.type === 'agent_delta' ? event['data'].offset : -1;
}

/** The connections one behind the other saw every event once, and the text is exactly the count. */
async function expectWholeCount(connections: readonly BareClient[]): Promise<void> {
  const last = connections.at(-1);
  const end = await last?.until('the end', ({ type }) => type === 'agent_completed', 30_000);
  const events = connections.flatMap((client) => client.events);
  let applied = 0;
  for (const event of events) {
    expect(event.from ?? event.seq).toBe(applied + 1);
    applied = event.seq ?? 0;
  }
  expect(connections.map(({ duplicates, gaps }) => [duplicates, gaps])).toEqual(
    connections.map(() => [0, 0]),
  );
  expect(textOf(events, end?.runId ?? '')).toBe(COUNT_300);
  expect(end?.['data'].result).toBe(COUNT_300);
}

async function untilRunEnds(
  harness: Harness,
  user: Awaited<ReturnType<Harness['register']>>,
  runId: string,
): Promise<void> {
  const { until } = await import('../harness/index.js');
  await until(20_000, `the end of ${runId} at ${harness.url}`, async () => {
    const { body } = await user.call('GET', `/api/runs/${runId}`);
    return body.status === 'completed';
  });
}
