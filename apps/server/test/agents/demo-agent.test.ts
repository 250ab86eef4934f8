import { describe, expect, it } from '@jest/globals';
import { createAgentMessageHandler, createAgentRegistry, createRunSupervisor } from '@runwire/agent-handler';
import { createMemoryStores } from '@runwire/agent-handler/testing';
import { createWebSocketBridgeFactory } from '@runwire/bridge-factory';
import { createMemoryEventLog } from '@runwire/event-log';
import { createIdGenerator, type RunId } from '@runwire/id-generation';
import { createManualClock, createRecordingLogger } from '@runwire/kernel/testing';
import type { RunwireEvent } from '@runwire/protocol';
import { createRequestContext } from '@runwire/user-context';
import { createDemoAgent } from '../../src/agents/demo-agent.js';
import { fillerText } from '../../src/agents/filler-text.js';

/** The demo agent in real runs, with time by hand. */
function createDemo() {
  const clock = createManualClock(Date.UTC(2026, 10, 21, 6, 0));
  const logger = createRecordingLogger();
  const ids = createIdGenerator({ clock });
  const log = createMemoryEventLog({ clock, ids, logger });
  const connections = { connectionsOf: () => [] };
  const largeValues = { storeResult: async () => '/result', storeToolOutput: async () => '/output' };
  const emitters = createWebSocketBridgeFactory({ log, connections, ids, clock, logger, largeValues });
  const agents = createAgentRegistry([createDemoAgent({ clock })], { defaultAgent: 'demo' });
  const deps = { clock, logger, ids, emitters, agents, ...createMemoryStores({ clock }) };
  const supervisor = createRunSupervisor(deps);
  const handler = createAgentMessageHandler({ ...deps, supervisor });
  const userId = ids.userId();
  return {
    clock,
    supervisor,
    async ask(content: string): Promise<RunId> {
      const context = createRequestContext({ userId, requestId: ids.requestId() });
      const request = { context, signal: new AbortController().signal };
      const reply = await handler.userMessage({ type: 'user_message', content }, request);
      if ('rejected' in reply) throw new Error(reply.rejected.code);
      await clock.settle();
      return reply.accepted.runId as RunId;
    },
    /** Lets time pass until nothing runs. */
    async finished(): Promise<void> {
      for (let ms = 0; supervisor.stats().active > 0; ms += 1) {
        if (ms > 100_000) throw new Error('The run does not end.');
        await clock.advance(1);
      }
    },
    async events(): Promise<readonly RunwireEvent[]> {
      const { epoch } = await log.stream(userId);
      const request = { after: { epoch, seq: 0 }, limitEvents: 100_000, limitBytes: 100_000_000 };
      const page = await log.read(userId, request);
      if (page.kind === 'reset') throw new Error(page.reason);
      return page.events.map(({ json }) => JSON.parse(json) as RunwireEvent);
    },
    async streamed(kind: 'text' | 'reasoning' = 'text'): Promise<string> {
      const deltas = (await this.events()).filter((event) => event.type === 'agent_delta');
      const ofKind = deltas.filter(({ data }) => data.kind === kind);
      return ofKind.map(({ data }) => data.text).join('');
    },
    async end() {
      const ends = (await this.events()).filter((event) => event.type === 'agent_completed');
      expect(ends).toHaveLength(1);
      return ends[0]?.data;
    },
  };
}

const FIVE = ['agent_started', 'agent_thinking', 'tool_executing', 'tool_completed', 'agent_completed'];

describe('the demo agent', () => {
  const questions: Record<string, [tool: string, status: string, answer: RegExp]> = {
    'what is 2 + 3 * 4?': ['calculator', 'success', /^The answer is 14\.$/],
    'what is 1 / 0?': ['calculator', 'error', /^That did not work: Division by zero has no result\.$/],
    'what time is it in Tokyo?': [
      'clock',
      'success',
      /^In Tokyo it is .*21 November 2026.* 15:00 \(Asia\/Tokyo\)\.$/,
    ],
    'what time is it in Atlantis?': [
      'clock',
      'error',
      /^That did not work: I know no time zone for "Atlantis"/,
    ],
    'hello there': ['clock', 'success', /without a language model.*\(UTC\)\.$/s],
  };
  for (const [question, [tool, status, answer]] of Object.entries(questions)) {
    it(`[BR-2] has the five events in order for ${JSON.stringify(question)}, and answers word by word`, async () => {
      const demo = createDemo();
      await demo.ask(question);
      await demo.clock.advance(5_000);
      const events = await demo.events();
      const others = ['agent_delta', 'thread_created', 'message_added'];
      expect(events.map(({ type }) => type).filter((type) => !others.includes(type))).toEqual(FIVE);
      expect(events.find((event) => event.type === 'tool_completed')?.data).toMatchObject({ tool, status });
      const end = await demo.end();
      expect(end).toMatchObject({ status: 'completed', result: expect.stringMatching(answer) });
      expect(await demo.streamed()).toBe(end?.result);
      expect(events.filter(({ type }) => type === 'agent_delta').length).toBeGreaterThan(1);
    });
  }

  it('thinks aloud before it calculates', async () => {
    const demo = createDemo();
    await demo.ask('2 + 2');
    await demo.clock.advance(1_000);
    expect(await demo.streamed('reasoning')).toMatch(/calculator/);
  });

  it('waits with progress', async () => {
    const demo = createDemo();
    await demo.ask('wait 5 seconds');
    await demo.clock.advance(4_999);
    const progress = (await demo.events()).filter((event) => event.type === 'tool_progress');
    const percents = progress.map(({ data }) => data.percent ?? 0);
    expect(percents).toEqual([...percents].sort((a, b) => a - b));
    expect(percents.length).toBeGreaterThan(5);
    await demo.clock.advance(1_001);
    expect((await demo.end())?.result).toBe('I waited 5 s.');
  });

  it('[AG-5] stops waiting when it is stopped', async () => {
    const demo = createDemo();
    const runId = await demo.ask('wait 20 seconds');
    await demo.clock.advance(3_000);
    const stopped = demo.supervisor.stop(runId);
    await demo.clock.settle();
    expect(await stopped).toBe('cancelled');
    expect(demo.supervisor.stats().active).toBe(0);
  });

  const numbers = (to: number) => Array.from({ length: to }, (_, index) => index + 1).join(' ');

  it('counts exactly, as fast as it goes', async () => {
    const demo = createDemo();
    await demo.ask('count to 500');
    await demo.finished();
    expect((await demo.end())?.result).toBe(numbers(500));
    expect(await demo.streamed()).toBe(numbers(500));
  });

  it('counts at the pace asked for, without drift', async () => {
    const demo = createDemo();
    await demo.ask('count to 500 at 100 per second');
    await demo.clock.advance(2_500);
    // The last window of the roll-up may still be open.
    expect((await demo.streamed()).split(' ').length).toBeGreaterThanOrEqual(246);
    expect((await demo.streamed()).split(' ').length).toBeLessThanOrEqual(251);
    await demo.clock.advance(2_489);
    expect((await demo.events()).at(-1)?.type).toBe('agent_delta');
    await demo.clock.advance(1);
    const end = await demo.end();
    expect(end).toMatchObject({ result: numbers(500), durationMs: 4_990 });
    expect(await demo.streamed()).toBe(numbers(500));
  });

  for (const [asked, bytes] of [
    ['200 KB', 200_000],
    ['10 MB', 10_000_000],
  ] as const) {
    it(`writes exactly ${asked}`, async () => {
      const demo = createDemo();
      await demo.ask(`write ${asked}`);
      await demo.finished();
      expect((await demo.end())?.status).toBe('completed');
      const text = await demo.streamed();
      expect(Buffer.byteLength(text)).toBe(bytes);
      expect(text === [...fillerText(bytes)].join('')).toBe(true);
    });
  }

  it('says what it cannot do', async () => {
    const demo = createDemo();
    await demo.ask('count to 100001');
    await demo.clock.advance(1_000);
    expect((await demo.end())?.result).toBe('I count from 1 to at most 100000.');
  });
});
