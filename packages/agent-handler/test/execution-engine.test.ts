import { describe, expect, it } from '@jest/globals';
import { defineTool } from '@runwire/agent-handler';
import { EventLogError } from '@runwire/event-log';
import { createDeferred } from '@runwire/kernel';
import { answerText, applyRunEvent, type RunView } from '@runwire/protocol';
import { currentContext } from '@runwire/user-context';
import { z } from 'zod';
import { ANNOUNCED, BEGUN, createHarness, forever, NOTHING } from './harness.js';

/** What the engine says of every run. */
const FIRST_STEP = 'Reading your message.';

const echo = defineTool({
  name: 'echo',
  description: 'Says it again.',
  input: z.object({ text: z.string() }),
  run: async ({ text }) => text,
});

describe('a run that goes well', () => {
  it('[AG-1] has its events in order, its own context, and leaves nothing behind', async () => {
    const seen: unknown[] = [];
    const harness = createHarness({
      agent: async ({ emit, context, signal }) => {
        seen.push(currentContext() === context, signal.aborted, harness.bridge.stats().emitters);
        await emit.text('Hello ');
        await emit.text('you.');
        return { usage: { inputTokens: 3, outputTokens: 2 } };
      },
    });
    const userId = harness.ids.userId();
    const { runId, threadId } = await harness.start(userId);
    await harness.clock.settle();
    expect(await harness.types(userId)).toEqual([...BEGUN, 'agent_delta', 'agent_delta', 'agent_completed']);
    const run = await harness.runs.findRun(userId, runId);
    expect(await harness.terminals(userId)).toEqual([
      {
        agent: 'test',
        messageId: run?.answerId,
        status: 'completed',
        result: 'Hello you.',
        usage: { inputTokens: 3, outputTokens: 2 },
        durationMs: 0,
      },
    ]);
    expect(seen).toEqual([true, false, 1]);
    expect(run?.status).toBe('completed');
    expect(await harness.runs.pendingOutbox()).toEqual([]);
    const history = await harness.stores.threads.history(userId, threadId, { limit: 5 });
    expect(history.map(({ text }) => text)).toEqual(['Hello.', 'Hello you.']);
    expect(harness.counts()).toEqual(NOTHING);
    expect(harness.supervisor.stats().ended.completed).toBe(1);
  });

  it('numbers parts by change of kind and by tool calls, and stores what the log folds to', async () => {
    let stored: unknown;
    const harness = createHarness({
      define: { tools: [echo] },
      agent: async ({ emit, tools }) => {
        await emit.reasoning('hm');
        await emit.text('a');
        await emit.text('');
        await emit.text('b');
        await tools.call('echo', { text: 'x' });
        await emit.text('c');
        await emit.problem('SLOW', 'It is slow today.');
        await emit.text('d');
        return undefined;
      },
      runs: {
        async finishRun(finish) {
          stored = finish.parts;
          return await harness.stores.runs.finishRun(finish);
        },
      },
    });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.advance(100);
    let view: RunView | undefined;
    for (const event of await harness.events(userId)) view = applyRunEvent(view, event);
    expect(stored).toEqual(view?.parts);
    expect(view?.parts.flatMap((part) => ('part' in part ? [[part.part, part.text]] : []))).toEqual([
      [0, 'hm'],
      [1, 'ab'],
      [2, 'cd'],
    ]);
    expect(view?.result).toBe('abcd');
  });

  it('takes the returned answer for the result, streamed or not', async () => {
    let parts: Parameters<typeof answerText>[0] = [];
    const harness = createHarness({
      agent: async ({ input, emit }) => {
        if (input === 'both') await emit.text('draft');
        return { text: 'final' };
      },
      runs: {
        async finishRun(finish) {
          parts = finish.parts;
          return await harness.stores.runs.finishRun(finish);
        },
      },
    });
    for (const content of ['both', 'returned only']) {
      const userId = harness.ids.userId();
      await harness.start(userId, { content });
      await harness.clock.settle();
      expect((await harness.terminals(userId))[0]?.result).toBe('final');
      expect(answerText(parts)).toBe('final');
    }
  });

  it('keeps the whole of an answer that is too large for its event', async () => {
    const text = 'x'.repeat(300_000);
    let parts: Parameters<typeof answerText>[0] = [];
    const harness = createHarness({
      agent: async () => ({ text }),
      largeValues: { storeResult: async () => '/result', storeToolOutput: async () => '/output' },
      runs: {
        async finishRun(finish) {
          parts = finish.parts;
          return await harness.stores.runs.finishRun(finish);
        },
      },
    });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.settle();
    const [end] = await harness.terminals(userId);
    expect([end?.result, end?.resultUrl]).toEqual([undefined, '/result']);
    expect(answerText(parts)).toBe(text);
  });

  it('gives the agent the thread so far, without this message', async () => {
    const told: unknown[] = [];
    const harness = createHarness({
      agent: async ({ input, history }) => {
        told.push(
          input,
          history.map(({ role, text }) => `${role}: ${text}`),
        );
        return { text: 'ok' };
      },
    });
    const userId = harness.ids.userId();
    const { threadId } = await harness.start(userId, { content: 'one' });
    await harness.clock.settle();
    await harness.start(userId, { content: [{ type: 'text', text: 'two' }], threadId });
    await harness.clock.settle();
    expect(told).toEqual(['one', [], 'two', ['user: one', 'assistant: ok']]);
  });
});

describe('a run that emits as fast as it goes', () => {
  it('leaves turns to others', async () => {
    let turns = 0;
    let isOver = false;
    const harness = createHarness({
      agent: async ({ emit }) => {
        for (let piece = 0; piece < 2_000; piece += 1) await emit.text('x');
        isOver = true;
        return undefined;
      },
    });
    const count = (): void => {
      turns += 1;
      if (!isOver) harness.clock.nextTurn(count);
    };
    harness.clock.nextTurn(count);
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.advance(100);
    expect(turns).toBeGreaterThanOrEqual(10);
    expect((await harness.terminals(userId))[0]?.result).toBe('x'.repeat(2_000));
  });
});

describe('a run that fails', () => {
  const failing = {
    'throws an error': async () => Promise.reject(new Error('secret stack')),
    'throws what is no error': async () => Promise.reject(undefined),
    'throws at once': () => {
      throw new Error('secret stack');
    },
    'emits what is no text': ({ emit }: { emit: { text(piece: string): Promise<void> } }) =>
      emit.text(5 as unknown as string).then(() => undefined),
  };
  for (const [name, agent] of Object.entries(failing)) {
    it(`[AG-3] ends failed when the agent ${name}, in words of ours`, async () => {
      const harness = createHarness({ agent });
      const userId = harness.ids.userId();
      const { runId } = await harness.start(userId);
      await harness.clock.settle();
      const [end, ...more] = await harness.terminals(userId);
      expect(more).toEqual([]);
      expect(end?.status).toBe('failed');
      expect(end?.error?.code).toBe('AGENT_FAILED');
      expect(JSON.stringify(await harness.events(userId))).not.toContain('secret');
      expect((await harness.runs.findRun(userId, runId))?.status).toBe('failed');
      expect(harness.counts()).toEqual(NOTHING);
    });
  }

  it('[AG-3] ends failed when the agent says nothing at all', async () => {
    for (const silent of [undefined, {}, { text: '' }]) {
      const harness = createHarness({ agent: async () => silent });
      const userId = harness.ids.userId();
      await harness.start(userId);
      await harness.clock.settle();
      expect((await harness.terminals(userId))[0]).toMatchObject({
        status: 'failed',
        error: { code: 'AGENT_FAILED', message: 'The agent ended without an answer.' },
      });
    }
  });

  it.each([
    ['bytes', { maxAnswerBytes: FIRST_STEP.length + 6 }, 'completed'],
    ['bytes', { maxAnswerBytes: FIRST_STEP.length + 5 }, 'failed'],
    ['parts', { maxAnswerParts: 3 }, 'completed'],
    ['parts', { maxAnswerParts: 2 }, 'failed'],
  ])(
    '[AG-3] keeps an answer up to its limit of %s, and fails loudly above: %j',
    async (_what, options, status) => {
      const harness = createHarness({
        options,
        agent: async ({ emit }) => {
          await emit.reasoning('€');
          await emit.text('abc');
        },
      });
      const userId = harness.ids.userId();
      await harness.start(userId);
      await harness.clock.settle();
      const [end] = await harness.terminals(userId);
      expect([end?.status, end?.error?.code]).toEqual([
        status,
        status === 'failed' ? 'ANSWER_TOO_LARGE' : undefined,
      ]);
    },
  );

  it('[AG-3] ends timed_out after its time, though it emits all the while and ignores its signal', async () => {
    const harness = createHarness({
      define: { limits: { runTimeoutMs: 10_000, idleTimeoutMs: 2_000 } },
      agent: async ({ emit }) => {
        for (;;) {
          await emit.text('.').catch(forever);
          await new Promise<void>((resolve) => void harness.clock.setTimer(1_000, resolve));
        }
      },
    });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.advance(9_999);
    expect(await harness.terminals(userId)).toEqual([]);
    await harness.clock.advance(1_001);
    const [end] = await harness.terminals(userId);
    expect(end).toMatchObject({ status: 'timed_out', error: { code: 'AGENT_TIMEOUT' } });
    expect(harness.counts().active).toBe(0);
  });

  it('[AG-3] ends timed_out after 60 s without an event; a progress of a tool is one', async () => {
    const slow = defineTool({
      name: 'slow',
      description: 'Takes its time.',
      input: z.object({}),
      timeoutMs: 300_000,
      run: async (_, { progress }) => {
        await new Promise<void>((resolve) => void harness.clock.setTimer(50_000, resolve));
        await progress({ percent: 50 });
        return await forever();
      },
    });
    const harness = createHarness({
      define: { tools: [slow] },
      agent: async ({ tools }) => void (await tools.call('slow', {})),
    });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.advance(109_999);
    expect(await harness.terminals(userId)).toEqual([]);
    await harness.clock.advance(1);
    expect((await harness.terminals(userId))[0]?.status).toBe('timed_out');
    expect((await harness.types(userId)).slice(-2)).toEqual(['tool_completed', 'agent_completed']);
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('decides for the answer when a timeout comes while the end is stored', async () => {
    const gate = createDeferred();
    const harness = createHarness({
      define: { limits: { runTimeoutMs: 5_000 } },
      runs: {
        async finishRun(finish) {
          await gate.promise;
          return await harness.stores.runs.finishRun(finish);
        },
      },
    });
    const userId = harness.ids.userId();
    const { runId } = await harness.start(userId);
    await harness.clock.advance(60_000);
    const stopped = harness.supervisor.stop(runId);
    gate.resolve();
    expect(await stopped).toBe('completed');
    expect((await harness.terminals(userId)).map(({ status }) => status)).toEqual(['completed']);
  });
});

describe('a run whose store or log fails', () => {
  it('[AG-3] ends failed when its start cannot be stored', async () => {
    const harness = createHarness({ runs: { startRun: () => Promise.reject(new Error('away')) } });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.settle();
    expect(await harness.types(userId)).toEqual([...ANNOUNCED, 'agent_started', 'agent_completed']);
    const [end] = await harness.terminals(userId);
    expect(end).toMatchObject({ status: 'failed', error: { code: 'INTERNAL' } });
    expect(end?.error?.message).toMatch(/Reference: req_/);
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('[AG-3] ends failed when its history cannot be read', async () => {
    const harness = createHarness({ threads: { history: () => Promise.reject(new Error('away')) } });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.settle();
    expect(await harness.types(userId)).toEqual([...BEGUN, 'agent_completed']);
    expect((await harness.terminals(userId))[0]?.error?.code).toBe('INTERNAL');
  });

  it('asks a failing store again for the end, and appends it once the store has it', async () => {
    let failures = 3;
    const harness = createHarness({
      runs: {
        async finishRun(finish) {
          failures -= 1;
          if (failures >= 0) throw new Error('locked');
          return await harness.stores.runs.finishRun(finish);
        },
      },
    });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.settle();
    expect(await harness.terminals(userId)).toEqual([]);
    await harness.clock.advance(250 + 500 + 1_000);
    expect((await harness.terminals(userId)).map(({ status }) => status)).toEqual(['completed']);
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('appends no end when somebody else has ended the run', async () => {
    const harness = createHarness({ runs: { finishRun: async () => false } });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.settle();
    expect(await harness.terminals(userId)).toEqual([]);
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('emits nothing when somebody else has started the run', async () => {
    const harness = createHarness({ runs: { startRun: async () => false } });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.settle();
    expect(await harness.types(userId)).toEqual(ANNOUNCED);
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('[AG-3] fails loudly when an event cannot be appended, and the log is told when it is back', async () => {
    let isAway = false;
    const harness = createHarness({
      append: (log) => async (user, drafts, options) => {
        if (isAway) throw new Error('disk full');
        return await log.append(user, drafts, options);
      },
      agent: async ({ emit }) => {
        await emit.text('shown');
        await harness.clock.settle();
        isAway = true;
        await emit.thinking('lost').catch(() => undefined);
        return { text: 'a success that is none' };
      },
    });
    const userId = harness.ids.userId();
    const { runId } = await harness.start(userId);
    await harness.clock.advance(1_000);
    expect(await harness.terminals(userId)).toEqual([]);
    expect((await harness.runs.findRun(userId, runId))?.status).toBe('failed');
    expect(harness.counts()).toMatchObject({ active: 0, reserved: 0, emitters: 0 });
    isAway = false;
    await harness.clock.advance(10_000);
    expect(await harness.terminals(userId)).toMatchObject([
      { status: 'failed', error: { code: 'INTERNAL' } },
    ]);
    expect(await harness.runs.pendingOutbox()).toEqual([]);
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('[AG-3] ends failed when the events of its message cannot be appended; they come first when the log is back', async () => {
    let isAway = true;
    const harness = createHarness({
      append: (log) => async (user, drafts, options) => {
        if (isAway) throw new Error('disk full');
        return await log.append(user, drafts, options);
      },
    });
    const userId = harness.ids.userId();
    const { runId } = await harness.start(userId);
    await harness.clock.settle();
    expect((await harness.runs.findRun(userId, runId))?.status).toBe('failed');
    isAway = false;
    await harness.clock.advance(1_000);
    expect(await harness.types(userId)).toEqual([...ANNOUNCED, 'agent_completed']);
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('[AG-3] ends at once when an event cannot be appended, though its agent pays no heed', async () => {
    const harness = createHarness({
      append: (log) => async (user, drafts, options) => {
        if (drafts.some(({ type }) => type === 'agent_error')) throw new Error('disk full');
        return await log.append(user, drafts, options);
      },
      agent: async ({ emit }) => {
        await emit.problem('LOST', 'lost').catch(() => undefined);
        return await forever();
      },
    });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.advance(1_000);
    expect(await harness.terminals(userId)).toMatchObject([
      { status: 'failed', error: { code: 'INTERNAL' } },
    ]);
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('[AG-3] does not begin when only the events of its message cannot be appended', async () => {
    let isAway = true;
    let isCalled = false;
    const harness = createHarness({
      append: (log) => async (user, drafts, options) => {
        const isMessage = drafts.some(({ type }) => type === 'message_added');
        if (isMessage && isAway) throw new Error('away');
        return await log.append(user, drafts, options);
      },
      agent: async () => {
        isCalled = true;
        return { text: 'never' };
      },
    });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.advance(1_000);
    expect(isCalled).toBe(false);
    expect(await harness.types(userId)).toEqual([]);
    isAway = false;
    await harness.clock.advance(1_000);
    expect(await harness.types(userId)).toEqual([...ANNOUNCED, 'agent_completed']);
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('stores a tool call as it was shown, also when its output was too large to be kept', async () => {
    let parts: readonly unknown[] = [];
    const large = defineTool({
      name: 'large',
      description: 'Says too much.',
      input: z.object({}),
      run: async () => 'x'.repeat(300_000),
    });
    const harness = createHarness({
      define: { tools: [large] },
      agent: async ({ tools }) => ({ text: (await tools.call('large', {})).status }),
      runs: {
        async finishRun(finish) {
          parts = finish.parts;
          return await harness.stores.runs.finishRun(finish);
        },
      },
    });
    await harness.start(harness.ids.userId());
    await harness.clock.settle();
    const tool = parts.find((part) => (part as { type: string }).type === 'tool');
    expect(tool).toMatchObject({ tool: 'large', status: 'error', error: { code: 'TOOL_FAILED' } });
    expect(tool).not.toHaveProperty('output');
  });

  it('keeps the stored end when only its append fails, and appends it later', async () => {
    let failures = 2;
    const harness = createHarness({
      append: (log) => async (user, drafts, options) => {
        if (drafts.some(({ type }) => type === 'agent_completed') && failures > 0) {
          failures -= 1;
          throw new EventLogError('LOG_CLOSED', 'away');
        }
        return await log.append(user, drafts, options);
      },
    });
    const userId = harness.ids.userId();
    const { runId } = await harness.start(userId);
    await harness.clock.advance(5_000);
    expect((await harness.runs.findRun(userId, runId))?.status).toBe('completed');
    expect(await harness.terminals(userId)).toMatchObject([{ status: 'completed', result: 'done' }]);
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('[AG-3] ends failed, once, when its answer is too large and there is nowhere to keep it', async () => {
    const harness = createHarness({ agent: async () => ({ text: 'x'.repeat(300_000) }) });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.settle();
    expect(await harness.terminals(userId)).toMatchObject([
      { status: 'failed', error: { code: 'INTERNAL' } },
    ]);
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('[AG-3] ends failed, once, when its agent floods without waiting', async () => {
    const harness = createHarness({
      agent: async ({ emit }) => {
        for (let piece = 0; piece < 20_000; piece += 1) void emit.text('x'.repeat(1_000));
        return { text: 'never' };
      },
    });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.advance(1_000);
    expect(await harness.terminals(userId)).toMatchObject([
      { status: 'failed', error: { code: 'INTERNAL' } },
    ]);
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('does not keep the asker of a stop waiting for a store that is away', async () => {
    const harness = createHarness({ runs: { finishRun: () => Promise.reject(new Error('away')) } });
    const userId = harness.ids.userId();
    const { runId } = await harness.start(userId);
    const message = { type: 'stop_agent', runId } as const;
    const reply = harness.handler.stopAgent(message, harness.request(userId));
    await harness.clock.advance(10_000);
    expect(await reply).toEqual({ accepted: { runId, status: 'running' } });
  });

  it('leaves the run to recovery when the store fails and the server closes', async () => {
    const harness = createHarness({ runs: { finishRun: () => Promise.reject(new Error('away')) } });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.settle();
    await harness.supervisor.close();
    expect(await harness.terminals(userId)).toEqual([]);
    expect((await harness.runs.openRuns()).length).toBe(1);
    expect(harness.counts()).toEqual(NOTHING);
  });
});

describe('what comes after the end', () => {
  it('is refused: emits, tool calls, progress', async () => {
    const late: Promise<unknown>[] = [];
    const harness = createHarness({
      define: { tools: [echo] },
      agent: async ({ emit, tools, signal }) => {
        const after = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        const tries = [
          () => emit.text('late'),
          () => emit.thinking('late'),
          () => emit.problem('LATE', 'late'),
          () => tools.call('echo', { text: 'late' }),
        ];
        late.push(...tries.map((attempt): Promise<unknown> => after.then<unknown>(attempt)));
        return { text: 'over' };
      },
    });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.settle();
    const settled = await Promise.allSettled(late);
    expect(settled).toHaveLength(4);
    for (const outcome of settled) expect(outcome).toMatchObject({ reason: { code: 'RUN_OVER' } });
    expect(JSON.stringify(await harness.events(userId))).not.toContain('late');
  });
});
