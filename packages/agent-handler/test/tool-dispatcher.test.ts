import { describe, expect, it } from '@jest/globals';
import { type AnyToolDefinition, defineTool, ToolError, type ToolOutcome } from '@runwire/agent-handler';
import type { RunwireEvent } from '@runwire/protocol';
import { z } from 'zod';
import { createHarness, forever, NOTHING } from './harness.js';

/** Runs one tool call in a real run and returns its outcome with its events. */
async function callOnce(tools: readonly AnyToolDefinition[], name: string, input: unknown, waitMs = 0) {
  let outcome: ToolOutcome | undefined;
  const harness = createHarness({
    define: { tools },
    agent: async (task) => {
      outcome = await task.tools.call(name, input);
      return { text: 'ok' };
    },
  });
  const userId = harness.ids.userId();
  await harness.start(userId);
  await harness.clock.advance(waitMs);
  const events = await harness.events(userId);
  expect(harness.counts()).toEqual(NOTHING);
  const isTool = ({ type }: RunwireEvent) => type.startsWith('tool_');
  return { outcome, events: events.filter(isTool), logger: harness.logger };
}

const tool = (run: (input: { n: number }) => Promise<unknown>, more: Partial<AnyToolDefinition> = {}) => {
  const input = z.object({ n: z.number().default(1) });
  return defineTool({ name: 'work', description: 'Works.', input, run, ...more }) as AnyToolDefinition;
};

describe('a tool call', () => {
  it('[AG-2] is one tool_executing and one tool_completed, its input as the schema has it', async () => {
    const { outcome, events } = await callOnce([tool(async ({ n }) => ({ twice: n * 2 }))], 'work', {});
    expect(outcome).toEqual({ status: 'success', output: { twice: 2 } });
    expect(events.map(({ type, data }) => [type, data])).toEqual([
      ['tool_executing', { toolCallId: expect.stringMatching(/^tcl_/), tool: 'work', input: {} }],
      [
        'tool_completed',
        {
          toolCallId: expect.stringMatching(/^tcl_/),
          tool: 'work',
          status: 'success',
          output: { twice: 2 },
          durationMs: 0,
        },
      ],
    ]);
  });

  const error = (code: string, message: unknown) => ({ status: 'error', error: { code, message } });
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;
  const failures: Record<string, { run: () => Promise<unknown>; input?: unknown; expected: unknown }> = {
    'of invalid input names the fields': {
      run: async () => 1,
      input: { n: 'many' },
      expected: error('TOOL_INPUT_INVALID', expect.stringContaining('n: ')),
    },
    'of no input at all is invalid': {
      run: async () => 1,
      input: null,
      expected: error('TOOL_INPUT_INVALID', expect.any(String)),
    },
    'that throws is told in words of ours': {
      run: async () => Promise.reject(new Error('secret')),
      expected: error('TOOL_FAILED', 'The tool failed.'),
    },
    'that throws at once is told in words of ours': {
      run: () => {
        throw new Error('secret');
      },
      expected: error('TOOL_FAILED', 'The tool failed.'),
    },
    'that throws a ToolError is told in its words': {
      run: async () => Promise.reject(new ToolError('Division by zero.', { code: 'DIVISION_BY_ZERO' })),
      expected: error('DIVISION_BY_ZERO', 'Division by zero.'),
    },
    'with a cycle for an output fails': {
      run: async () => cyclic,
      expected: error('TOOL_FAILED', 'The tool returned something that cannot be shown.'),
    },
    'with a BigInt for an output fails': {
      run: async () => ({ n: 1n }),
      expected: error('TOOL_FAILED', 'The tool returned something that cannot be shown.'),
    },
    'without an output has null': {
      run: async () => undefined,
      expected: { status: 'success', output: null },
    },
  };
  for (const [name, { run, input = {}, expected }] of Object.entries(failures)) {
    it(`[AG-2] ${name}`, async () => {
      const { outcome, events } = await callOnce([tool(run)], 'work', input);
      expect(outcome).toEqual(expected);
      expect(events.map(({ type }) => type)).toEqual(['tool_executing', 'tool_completed']);
      expect(JSON.stringify(events)).not.toContain('secret');
    });
  }

  it('[AG-2] of an unknown tool fails and names those there are', async () => {
    const { outcome, events } = await callOnce([tool(async () => 1, { secrets: ['key'] })], 'play', {
      key: 'hidden',
    });
    expect(outcome).toEqual(error('TOOL_NOT_FOUND', 'There is no tool "play". The tools are: work.'));
    expect(events.map(({ type }) => type)).toEqual(['tool_executing', 'tool_completed']);
    expect(JSON.stringify(events)).not.toContain('hidden');
  });

  it('[AG-2] ends after 30 s, though the tool ignores its signal', async () => {
    const { outcome, events } = await callOnce([tool(forever)], 'work', {}, 30_000);
    expect(outcome).toEqual({
      status: 'timeout',
      error: { code: 'TOOL_TIMEOUT', message: 'The tool took too long and was stopped.' },
    });
    expect(events.at(-1)?.data).toMatchObject({ status: 'timeout', durationMs: 30_000 });
  });

  it('[AG-2] has one end, though its tool returns after the timeout', async () => {
    const harness = createHarness({
      define: {
        tools: [
          tool(async () => {
            await new Promise<void>((resolve) => void harness.clock.setTimer(40_000, resolve));
            return 'late';
          }),
        ],
      },
      agent: async ({ tools }) => {
        const { status } = await tools.call('work', {});
        await new Promise<void>((resolve) => void harness.clock.setTimer(20_000, resolve));
        return { text: status };
      },
    });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.advance(60_000);
    expect((await harness.terminals(userId))[0]?.result).toBe('timeout');
    const types = await harness.types(userId);
    expect(types.filter((type) => type === 'tool_completed')).toHaveLength(1);
  });

  it('goes on a millisecond before its own timeout', async () => {
    const harness = createHarness({
      define: { tools: [tool(forever, { timeoutMs: 500 })] },
      agent: async ({ tools }) => ({ text: (await tools.call('work', {})).status }),
    });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.advance(499);
    expect((await harness.types(userId)).at(-1)).toBe('tool_executing');
    await harness.clock.advance(1);
    expect((await harness.terminals(userId))[0]?.result).toBe('timeout');
  });

  it('never shows a secret, at whatever depth', async () => {
    const input = { n: 1, password: 'hidden', deep: [{ password: { also: 'hidden' }, shown: true }] };
    let got: unknown;
    const open = defineTool({
      name: 'work',
      description: 'Works.',
      input: z.looseObject({ n: z.number() }),
      secrets: ['password'],
      run: async (value) => {
        got = value;
        return 'done';
      },
    });
    const { events } = await callOnce([open], 'work', input);
    expect(got).toEqual(input);
    expect(events[0]?.data).toMatchObject({
      input: { n: 1, password: '[redacted]', deep: [{ password: '[redacted]', shown: true }] },
    });
    expect(JSON.stringify(events)).not.toContain('hidden');
  });

  it('is an error for agent and user when its output is too large to be kept', async () => {
    const { outcome, events } = await callOnce([tool(async () => 'x'.repeat(300_000))], 'work', {});
    expect(outcome).toMatchObject({ status: 'error', error: { code: 'TOOL_FAILED' } });
    expect(events.map(({ type }) => type)).toEqual(['tool_executing', 'tool_completed']);
    expect(events[1]?.data).toMatchObject({ status: 'error' });
  });

  it('shows progress between 0 and 100, and none after its end', async () => {
    let late: Promise<void> | undefined;
    const busy = defineTool({
      name: 'work',
      description: 'Works.',
      input: z.object({}),
      run: async (_, { progress, signal }) => {
        await progress({ percent: 250, message: 'nearly' });
        await progress({ percent: Number.NaN });
        signal.addEventListener('abort', () => {
          late = progress({ percent: 1 });
        });
      },
    });
    const { events } = await callOnce([busy], 'work', {});
    expect(events.filter(({ type }) => type === 'tool_progress').map(({ data }) => data)).toMatchObject([
      { percent: 100, message: 'nearly' },
      {},
    ]);
    await expect(late).rejects.toMatchObject({ code: 'RUN_OVER' });
  });
});

describe('several tool calls', () => {
  it('[AG-2] run side by side, and each has its one end', async () => {
    const harness = createHarness({
      define: {
        tools: [
          tool(async ({ n }) => {
            await new Promise<void>((resolve) => void harness.clock.setTimer(n, resolve));
            return n;
          }),
        ],
      },
      agent: async ({ tools }) => {
        const outcomes = await Promise.all([30, 10, 20].map((n) => tools.call('work', { n })));
        return { text: JSON.stringify(outcomes.map((each) => each.status === 'success' && each.output)) };
      },
    });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.advance(30);
    expect((await harness.terminals(userId))[0]?.result).toBe('[30,10,20]');
    const ends = (await harness.events(userId)).filter((event) => event.type === 'tool_completed');
    expect(ends.map(({ data }) => data.output)).toEqual([10, 20, 30]);
  });

  it('[AG-2] that an agent leaves behind are cancelled before the end of the run', async () => {
    const harness = createHarness({
      define: { tools: [tool(forever)] },
      agent: async ({ tools }) => {
        void tools.call('work', {});
        void tools.call('work', {});
        return { text: 'gone' };
      },
    });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.settle();
    const events = await harness.events(userId);
    const executing = events
      .filter((event) => event.type === 'tool_executing')
      .map(({ data }) => data.toolCallId);
    const ends = events.filter((event) => event.type === 'tool_completed');
    expect(ends.map(({ data }) => data.toolCallId).sort()).toEqual([...executing].sort());
    expect(ends.map(({ data }) => data.status)).toEqual(['cancelled', 'cancelled']);
    expect(events.at(-1)).toMatchObject({ type: 'agent_completed', data: { status: 'completed' } });
    expect(harness.counts()).toEqual(NOTHING);
  });
});
