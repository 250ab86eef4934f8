import { describe, expect, it } from '@jest/globals';
import { type AgentTask, createRecovery, defineTool } from '@runwire/agent-handler';
import { createMemoryStores } from '@runwire/agent-handler/testing';
import { createMemoryEventLog, type EventLog } from '@runwire/event-log';
import { createIdGenerator, type UserId } from '@runwire/id-generation';
import { createManualClock, createRecordingLogger } from '@runwire/kernel/testing';
import { applyRunEvent, type RunView } from '@runwire/protocol';
import { z } from 'zod';
import { createHarness, forever, type Harness, overlay, type ProcessRemains } from './harness.js';

/** Where a process dies: before or after what it asks of its store or its log, counted from 1. */
interface Death {
  readonly at: number;
  readonly when: 'before' | 'after';
}

/** Lets a process do what it asks for until it dies; from then on nothing is done and nothing settles. */
class Mortal {
  /** What was asked for so far. */
  count = 0;
  readonly #death: Death | undefined;
  #isDead = false;

  constructor(death: Death | undefined) {
    this.#death = death;
  }

  async do<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isDead) return await forever();
    this.count += 1;
    const isDue = this.count === this.#death?.at;
    if (isDue) this.#isDead = true;
    if (isDue && this.#death?.when === 'before') return await forever();
    const result = await work();
    return isDue || this.#isDead ? await forever() : result;
  }

  /** `base`, of which each method may be the last. */
  of<T extends object>(base: T, methods: readonly (keyof T)[]): T {
    const mortal: Partial<T> = {};
    for (const name of methods) {
      const method = base[name] as unknown as (...args: unknown[]) => Promise<unknown>;
      const wrapped = (...args: unknown[]) => this.do(() => Reflect.apply(method, base, args));
      mortal[name] = wrapped as unknown as T[typeof name];
    }
    return overlay(base, mortal);
  }
}

const echo = defineTool({
  name: 'echo',
  description: 'Gives back what it is given.',
  input: z.object({}),
  run: async () => 'ok',
});

async function answer({ emit, tools, attempt }: AgentTask): Promise<undefined> {
  await emit.text(`attempt ${attempt} `);
  await tools.call('echo', {});
  await emit.text('is done');
}

/** A process over what the ones before left. */
function createProcess(
  remains: ProcessRemains,
  options: { death?: Death | undefined; retryOnCrash: boolean },
) {
  const mortal = new Mortal(options.death);
  const { retryOnCrash } = options;
  const stores = {
    threads: remains.stores.threads,
    runs: mortal.of(remains.stores.runs, [
      'acceptMessage',
      'startRun',
      'finishRun',
      'retryRun',
      'markAppended',
      'pendingOutbox',
      'openRuns',
    ]),
  };
  const log: EventLog = mortal.of(remains.log, ['append', 'openRuns']);
  const harness = createHarness({
    agent: answer,
    define: { tools: [echo], retryOnCrash },
    before: { ...remains, stores, log },
  });
  return { harness, mortal, log };
}

/** What a start does about what was left. It may die over it. */
async function recoverAndRun({ harness, log }: ReturnType<typeof createProcess>): Promise<void> {
  const recovering = createRecovery({ ...harness.deps, runs: harness.stores.runs }).recover({ log });
  void recovering.then((report) => harness.supervisor.resume(report));
  await harness.clock.settle();
  await harness.clock.advance(20_000);
}

function createRemains(): ProcessRemains {
  const clock = createManualClock();
  const logger = createRecordingLogger();
  const ids = createIdGenerator({ clock });
  const log = createMemoryEventLog({ clock, ids, logger });
  return { clock, logger, ids, log, stores: createMemoryStores({ clock }) };
}

/** One story: a message, a process that dies over it, perhaps one that dies over the recovery, one that lives. */
async function live(story: { first?: Death | undefined; second?: Death | undefined; retryOnCrash: boolean }) {
  const remains = createRemains();
  const { retryOnCrash } = story;
  const userId = remains.ids.userId();
  const first = createProcess(remains, { death: story.first, retryOnCrash });
  const said = { type: 'user_message', id: 'c1', content: 'Hello.' } as const;
  void first.harness.handler.userMessage(said, first.harness.request(userId));
  await remains.clock.settle();
  await remains.clock.advance(20_000);
  const seen = await first.harness.events(userId);
  const second = createProcess(remains, { death: story.second, retryOnCrash });
  await recoverAndRun(second);
  const last = createProcess(remains, { retryOnCrash });
  await recoverAndRun(last);
  return { userId, seen, asked: [first.mortal.count, second.mortal.count], harness: last.harness };
}

/** Everything that holds in the end, wherever processes died. */
async function audit(harness: Harness, userId: UserId, seen: readonly unknown[]) {
  const events = await harness.events(userId);
  expect(events.slice(0, seen.length)).toEqual(seen);
  expect(await harness.stores.runs.pendingOutbox()).toEqual([]);
  expect(await harness.stores.runs.openRuns()).toEqual([]);
  expect(await harness.log.openRuns()).toEqual([]);
  const recalled = await harness.stores.runs.recallCommand(userId, { id: 'c1', bodyHash: 'other' });
  const types = events.map(({ type }) => type);
  if (recalled.kind === 'unknown') {
    expect(types).toEqual([]);
    return undefined;
  }
  expect(types.slice(0, 2)).toEqual(['thread_created', 'message_added']);
  expect(types.filter((type) => type === 'agent_completed')).toHaveLength(1);
  const end = events.at(-1);
  if (end?.type !== 'agent_completed') throw new Error(`The last event is ${types.at(-1)}.`);
  let view: RunView | undefined;
  for (const event of events) view = applyRunEvent(view, event);
  const run = await harness.runs.findRun(userId, end.runId as Parameters<typeof harness.runs.findRun>[1]);
  expect(run).toMatchObject({ status: end.data.status, answerId: end.data.messageId });
  // Whoever shows the run sees it end; a run that never began is shown by its end alone.
  if (view !== undefined) expect(view).toMatchObject({ status: end.data.status, attempt: run?.attempt });
  if (end.data.status === 'completed') expect(end.data.result).toBe(`attempt ${run?.attempt} is done`);
  const history = await harness.stores.threads.history(userId, end.threadId as never, { limit: 9 });
  expect(history.map(({ messageId }) => messageId)).toEqual([run?.messageId, run?.answerId]);
  return end.data.status;
}

const WHEN = ['before', 'after'] as const;

function deathsUpTo(count: number): readonly Death[] {
  return Array.from({ length: count }, (_, index) => WHEN.map((when) => ({ at: index + 1, when }))).flat();
}

describe('a process that dies', () => {
  it.each([
    [false, ['completed', 'interrupted']],
    [true, ['completed']],
  ])(
    '[BR-7] at any step, and again at any step of the recovery, leaves one end (retryOnCrash %s)',
    async (retryOnCrash, ends) => {
      const whole = await live({ retryOnCrash });
      const statuses = new Set([await audit(whole.harness, whole.userId, whole.seen)]);
      let stories = 0;
      for (const first of deathsUpTo(whole.asked[0] ?? 0)) {
        const once = await live({ first, retryOnCrash });
        for (const second of [undefined, ...deathsUpTo(once.asked[1] ?? 0)]) {
          const told = await live({ first, second, retryOnCrash });
          try {
            statuses.add(await audit(told.harness, told.userId, told.seen));
          } catch (cause) {
            throw new Error(`Deaths: ${JSON.stringify({ first, second })}`, { cause });
          }
          stories += 1;
        }
      }
      expect(stories).toBeGreaterThan(100);
      expect([...statuses].filter((status) => status !== undefined).sort()).toEqual(ends);
    },
    60_000,
  );
});
