import { describe, expect, it } from '@jest/globals';
import { defineAgent, defineTool } from '@runwire/agent-handler';
import { createDeferred } from '@runwire/kernel';
import { z } from 'zod';
import { BEGUN, createHarness, forever, NOTHING } from './harness.js';

const endless = defineTool({
  name: 'endless',
  description: 'Never ends.',
  input: z.object({}),
  run: forever,
});

describe('stopping a run', () => {
  it('[AG-5] ends it cancelled within 1 s though its agent ignores the signal, and its late emits are refused', async () => {
    const released = createDeferred();
    let late: Promise<void> | undefined;
    const harness = createHarness({
      agent: async ({ emit }) => {
        await emit.text('half');
        await released.promise;
        late = emit.text(' more');
        return { text: 'too late' };
      },
    });
    const userId = harness.ids.userId();
    const { runId } = await harness.start(userId);
    const stopped = harness.supervisor.stop(runId);
    await harness.clock.advance(999);
    expect(await stopped).toBe('cancelled');
    released.resolve();
    await harness.clock.settle();
    await expect(late).rejects.toMatchObject({ code: 'RUN_OVER' });
    expect(await harness.types(userId)).toEqual([...BEGUN, 'agent_delta', 'agent_completed']);
    expect((await harness.terminals(userId)).map(({ status }) => status)).toEqual(['cancelled']);
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('[AG-5] is at once for an agent that heeds the signal or waits for an emit, and harmless twice', async () => {
    const harness = createHarness({
      agent: ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    });
    const userId = harness.ids.userId();
    const { runId } = await harness.start(userId);
    const stops = [harness.supervisor.stop(runId), harness.supervisor.stop(runId)];
    await harness.clock.settle();
    expect(await Promise.all(stops)).toEqual(['cancelled', 'cancelled']);
    expect(await harness.supervisor.stop(runId)).toBeUndefined();
    expect(await harness.terminals(userId)).toHaveLength(1);
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('[AG-5] while a tool runs completes the call cancelled, before the end', async () => {
    const harness = createHarness({
      define: { tools: [endless] },
      agent: async ({ tools }) => ({ text: (await tools.call('endless', {})).status }),
    });
    const userId = harness.ids.userId();
    const { runId } = await harness.start(userId);
    const stopped = harness.supervisor.stop(runId);
    await harness.clock.settle();
    expect(await stopped).toBe('cancelled');
    const events = await harness.events(userId);
    expect(events.slice(-2)).toMatchObject([
      { type: 'tool_completed', data: { status: 'cancelled', error: { code: 'TOOL_CANCELLED' } } },
      { type: 'agent_completed', data: { status: 'cancelled' } },
    ]);
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('[AG-5] while an emit waits rejects the emit, and ends the run when the log has taken what came before', async () => {
    const gate = createDeferred();
    let isSlow = false;
    const harness = createHarness({
      append: (log) => async (user, drafts, options) => {
        if (isSlow) await gate.promise;
        return await log.append(user, drafts, options);
      },
      agent: async ({ emit }) => {
        isSlow = true;
        await emit.thinking('waits for the log');
        return { text: 'never' };
      },
    });
    const userId = harness.ids.userId();
    const { runId } = await harness.start(userId);
    const stopped = harness.supervisor.stop(runId);
    await harness.clock.advance(500);
    gate.resolve();
    await harness.clock.settle();
    expect(await stopped).toBe('cancelled');
    expect(await harness.types(userId)).toEqual([...BEGUN, 'agent_thinking', 'agent_completed']);
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('[AG-5] before the agent has begun still begins and ends the run', async () => {
    const gate = createDeferred();
    let isCalled = false;
    const harness = createHarness({
      agent: async () => {
        isCalled = true;
        return { text: 'never' };
      },
      runs: {
        async startRun(runId, attempt) {
          await gate.promise;
          return await harness.stores.runs.startRun(runId, attempt);
        },
      },
    });
    const userId = harness.ids.userId();
    const { runId } = await harness.start(userId);
    const stopped = harness.supervisor.stop(runId);
    gate.resolve();
    await harness.clock.settle();
    expect(await stopped).toBe('cancelled');
    expect((await harness.types(userId)).slice(-2)).toEqual(['agent_started', 'agent_completed']);
    expect(isCalled).toBe(false);
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('stops the runs of one thread and leaves the others', async () => {
    const harness = createHarness({ agent: forever });
    const userId = harness.ids.userId();
    const first = await harness.start(userId);
    const second = await harness.start(userId);
    const stopped = harness.supervisor.stopThread(userId, first.threadId);
    await harness.clock.advance(1_000);
    await stopped;
    expect(harness.supervisor.activeRuns(userId)).toEqual([second.runId]);
    await harness.supervisor.stopThread(harness.ids.userId(), second.threadId);
    expect(harness.supervisor.activeRuns(userId)).toEqual([second.runId]);
  });
});

describe('places', () => {
  it('are 3 for a user and 200 in all, taken before anything is stored', async () => {
    const harness = createHarness({ agent: forever });
    const userId = harness.ids.userId();
    const asked = [0, 1, 2, 3].map(() => harness.say(userId));
    const replies = await Promise.all(asked);
    expect(replies.map((reply) => 'accepted' in reply)).toEqual([true, true, true, false]);
    expect(replies[3]).toMatchObject({ rejected: { code: 'RUN_LIMIT', retryable: true } });
    expect(harness.supervisor.stats()).toMatchObject({ active: 3, reserved: 0 });
    const places = Array.from({ length: 197 }, () => harness.supervisor.reserve(harness.ids.userId()));
    expect(places.some((place) => 'refused' in place)).toBe(false);
    expect(harness.supervisor.reserve(harness.ids.userId())).toMatchObject({
      refused: { code: 'RUN_LIMIT' },
    });
    for (const place of places) if ('release' in place) place.release();
    for (const place of places) if ('release' in place) place.release();
    expect(harness.supervisor.stats()).toMatchObject({ active: 3, reserved: 0 });
    await Promise.all([harness.supervisor.close(), harness.clock.advance(1_000)]);
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('are free again after whatever end', async () => {
    const harness = createHarness({ agent: async () => Promise.reject(new Error('no')) });
    const userId = harness.ids.userId();
    for (let round = 0; round < 10; round += 1) {
      await harness.start(userId);
      await harness.clock.settle();
    }
    expect(harness.counts()).toEqual(NOTHING);
    expect(harness.supervisor.stats().ended.failed).toBe(10);
  });
});

describe('runs side by side', () => {
  it('end by themselves: the crash of one agent ends no other', async () => {
    const gate = createDeferred();
    const crash = () => {
      throw new Error('crash');
    };
    const harness = createHarness({
      agent: async ({ emit }) => {
        await gate.promise;
        await emit.text('fine');
        return undefined;
      },
      more: [defineAgent({ name: 'crash', description: 'Crashes.', run: crash })],
    });
    const [good, bad] = [harness.ids.userId(), harness.ids.userId()];
    await harness.start(good);
    await harness.start(bad, { agent: 'crash' });
    await harness.clock.settle();
    expect((await harness.terminals(bad))[0]?.status).toBe('failed');
    gate.resolve();
    await harness.clock.settle();
    expect((await harness.terminals(good))[0]).toMatchObject({ status: 'completed', result: 'fine' });
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('[AG-4] [CX-7] go on when the request that asked for them is over', async () => {
    const gate = createDeferred();
    const harness = createHarness({
      agent: async ({ emit, signal }) => {
        await gate.promise;
        await emit.text(`aborted: ${signal.aborted}`);
        return undefined;
      },
    });
    const userId = harness.ids.userId();
    const asker = new AbortController();
    const request = harness.request(userId, asker.signal);
    await harness.handler.userMessage({ type: 'user_message', content: 'Hello.' }, request);
    asker.abort();
    await harness.clock.settle();
    gate.resolve();
    await harness.clock.settle();
    expect((await harness.terminals(userId))[0]).toMatchObject({
      status: 'completed',
      result: 'aborted: false',
    });
  });
});

describe('closing', () => {
  it('drains: takes nothing new, and waits for what runs', async () => {
    const gate = createDeferred();
    const harness = createHarness({
      agent: async () => {
        await gate.promise;
        return { text: 'in time' };
      },
    });
    const userId = harness.ids.userId();
    await harness.start(userId);
    const drained = harness.supervisor.drain({ timeoutMs: 5_000 });
    expect(await harness.say(userId)).toMatchObject({ rejected: { code: 'NOT_READY', retryable: true } });
    gate.resolve();
    await harness.clock.settle();
    await drained;
    await harness.supervisor.closed;
    expect((await harness.terminals(userId))[0]?.status).toBe('completed');
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('interrupts what does not end in time, once, whatever is repeated', async () => {
    const harness = createHarness({ agent: forever });
    const userId = harness.ids.userId();
    await harness.start(userId);
    const drained = Promise.all([
      harness.supervisor.drain({ timeoutMs: 5_000 }),
      harness.supervisor.drain({ timeoutMs: 5_000 }),
    ]);
    await harness.clock.advance(4_999);
    expect(harness.supervisor.stats().active).toBe(1);
    await harness.clock.advance(1_001);
    await drained;
    await harness.supervisor.close();
    expect(await harness.terminals(userId)).toMatchObject([
      { status: 'interrupted', error: { code: 'RUN_INTERRUPTED' } },
    ]);
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('interrupts a run that was accepted while it closed', async () => {
    const gate = createDeferred();
    const harness = createHarness({
      runs: {
        async acceptMessage(message) {
          await gate.promise;
          return await harness.stores.runs.acceptMessage(message);
        },
      },
    });
    const userId = harness.ids.userId();
    const reply = harness.say(userId);
    await harness.clock.settle();
    const closed = harness.supervisor.close();
    gate.resolve();
    await harness.clock.settle();
    expect(await reply).toMatchObject({ accepted: {} });
    await closed;
    expect((await harness.terminals(userId)).map(({ status }) => status)).toEqual(['interrupted']);
    expect(harness.counts()).toEqual(NOTHING);
  });
});
