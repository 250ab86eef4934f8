import { describe, expect, it } from '@jest/globals';
import { type BareClient, createHarness, type Harness, type HttpUser, until } from '../harness/index.js';

const USERS = 5;

describe('delivery, measured by acknowledgements', () => {
  it('[BR-9] what is emitted to connected users is sent, acknowledged and applied, all of it, with the time between', async () => {
    await using harness = await createHarness();
    const talkers = await Promise.all(
      Array.from({ length: USERS }, async () => {
        const user = await harness.register();
        const tab = harness.bare(user, { resume: { seq: 0 } });
        await tab.untilControl('caught_up');
        return { user, tab, runId: await say(tab, 'what is 2 + 3 * 4?') };
      }),
    );
    for (const { tab } of talkers) await tab.until('the end', ({ type }) => type === 'agent_completed');
    const applied = talkers.reduce((sum, { tab }) => sum + tab.cursor.seq, 0);
    await until(5_000, 'the last acknowledgements', async () => (await count(harness, 'acked')) === applied);
    expect([await count(harness, 'appended'), await count(harness, 'sent')]).toEqual([applied, applied]);
    const metrics = await harness.metrics();
    const acks = metrics.get('runwire_delivery_ack_seconds_count') ?? 0;
    expect(acks).toBeGreaterThanOrEqual(USERS);
    // On this machine no acknowledgement takes longer than the largest bucket.
    expect(metrics.get('runwire_delivery_ack_seconds_bucket{le="30"}')).toBe(acks);
  });

  it('[BR-9] a run tells which connections applied its end and when; to nobody else', async () => {
    await using harness = await createHarness();
    const [user, other] = [await harness.register(), await harness.register()];
    const [one, two] = [harness.bare(user), harness.bare(user)];
    for (const tab of [one, two]) await tab.untilControl('caught_up');
    const runId = await say(one, 'count to 50 at 100 per second');
    expect((await delivery(user, runId)).body).toMatchObject({
      status: 'running',
      lastSeq: null,
      appliedBy: [],
    });
    const end = await one.until('the end', ({ type }) => type === 'agent_completed');
    await two.until('the end', ({ type }) => type === 'agent_completed');
    await until(5_000, 'both acknowledgements', async () => {
      return (await delivery(user, runId)).body.appliedBy.length === 2;
    });
    const { status, body } = await delivery(user, runId);
    expect([status, body.id, body.status, body.lastSeq]).toEqual([200, runId, 'completed', end.seq]);
    const connections = [one, two].map((tab) => tab.control[0]?.['connectionId']);
    const appliedBy = body.appliedBy as readonly { connectionId: string; appliedAtMs: number }[];
    expect(new Set(appliedBy.map(({ connectionId }) => connectionId))).toEqual(new Set(connections));
    for (const { appliedAtMs } of appliedBy) expect(appliedAtMs).toBeGreaterThanOrEqual(body.appendedAtMs);

    for (const asked of [runId, 'run_nobody-has-it']) {
      expect(await delivery(other, asked)).toMatchObject({
        status: 404,
        body: { error: { code: 'RUN_NOT_FOUND' } },
      });
    }
  });

  it('[BR-9] of a run that ended before the server started, only where it ended is known', async () => {
    await using harness = await createHarness({ network: {} });
    const user = await harness.register();
    const tab = harness.bare(user);
    await tab.untilControl('caught_up');
    const runId = await say(tab, 'what is 1 + 1?');
    const { seq } = await tab.until('the end', ({ type }) => type === 'agent_completed');
    await harness.restart();
    const { body } = await delivery(user, runId);
    expect(body).toEqual({ id: runId, status: 'completed', lastSeq: seq, appendedAtMs: null, appliedBy: [] });
  });
});

async function say(tab: BareClient, content: string): Promise<string> {
  tab.send({ type: 'user_message', content });
  return (await tab.untilControl('command_accepted'))['result'].runId;
}

async function count(harness: Harness, step: 'appended' | 'sent' | 'acked'): Promise<number> {
  return (await harness.metrics()).get(`runwire_events_${step}_total`) ?? 0;
}

function delivery(user: HttpUser, runId: string) {
  return user.call('GET', `/api/runs/${runId}/delivery`);
}
