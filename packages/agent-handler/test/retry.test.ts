import { describe, expect, it } from '@jest/globals';
import { type AgentTask, createRecovery } from '@runwire/agent-handler';
import { applyRunEvent, type RunView } from '@runwire/protocol';
import { ANNOUNCED, BEGUN, createHarness, forever, type Harness, NOTHING } from './harness.js';

const RETRIED = { retryOnCrash: true } as const;

/** What the agent of each attempt was given. */
interface Seen {
  readonly attempt: number;
  readonly input: string;
  readonly history: readonly string[];
}

/** Says in which attempt it is; hangs, deaf to its signal, up to and with attempt `hangs`. */
function attempts(hangs: number, seen: Seen[] = []) {
  return async ({ emit, attempt, input, history }: AgentTask): Promise<undefined> => {
    seen.push({ attempt, input, history: history.map(({ text }) => text) });
    await emit.text(`attempt ${attempt}`);
    if (attempt <= hangs) await forever();
  };
}

/** The next process over what the last one left, recovered and resumed. */
async function nextProcess(before: Harness, setup: Parameters<typeof createHarness>[0] = {}) {
  const next = createHarness({ define: RETRIED, agent: attempts(1), ...setup, before });
  const report = await createRecovery({ ...next.deps, runs: next.stores.runs }, setup.options).recover({
    log: before.log,
  });
  next.supervisor.resume(report);
  await next.clock.settle();
  return { next, report };
}

/** What a client shows of the user's one run. */
async function shown(harness: Harness, userId: Parameters<Harness['events']>[0]) {
  let view: RunView | undefined;
  for (const event of await harness.events(userId)) view = applyRunEvent(view, event);
  return view;
}

describe('an agent with retryOnCrash', () => {
  it('[BR-7] begins again from its message, with its history, under a new answer, and ends once', async () => {
    const seen: Seen[] = [];
    const first = createHarness({ define: RETRIED, agent: attempts(1, seen) });
    const userId = first.ids.userId();
    const { runId, threadId } = await first.start(userId, { content: 'Do it.' });
    const before = await first.runs.findRun(userId, runId);
    const { next, report } = await nextProcess(first, { agent: attempts(1, seen) });
    expect(report).toMatchObject({ runsInterrupted: 0, draftsWaiting: 0 });
    expect(report.retries.map(({ run }) => [run.runId, run.attempt])).toEqual([[runId, 2]]);
    await next.clock.advance(1_000);
    expect(seen).toEqual([1, 2].map((attempt) => ({ attempt, input: 'Do it.', history: [] })));
    const run = await next.runs.findRun(userId, runId);
    expect(run).toMatchObject({ status: 'completed', attempt: 2 });
    expect(run?.answerId).not.toBe(before?.answerId);
    const ANSWER = ['agent_started', 'agent_thinking', 'agent_delta'];
    expect(await next.types(userId)).toEqual([...ANNOUNCED, ...ANSWER, ...ANSWER, 'agent_completed']);
    expect(await shown(next, userId)).toMatchObject({
      attempt: 2,
      messageId: run?.answerId,
      status: 'completed',
      result: 'attempt 2',
    });
    const history = await next.stores.threads.history(userId, threadId, { limit: 5 });
    expect(history.map(({ text }) => text)).toEqual(['Do it.', 'attempt 2']);
    expect(next.counts()).toEqual({ ...NOTHING, timers: expect.any(Number) });
  });

  it('[BR-7] fences the process before: it can neither append nor end the run', async () => {
    const first = createHarness({ define: RETRIED, agent: attempts(1) });
    const userId = first.ids.userId();
    const { runId, threadId } = await first.start(userId);
    const { next } = await nextProcess(first);
    // Whatever of it may still be on its way to the log.
    const late = { type: 'agent_thinking', threadId, runId, data: { agent: 'test', text: 'late' } } as const;
    for (let n = 1; n < 9; n += 1) {
      const appended = first.log.append(userId, [late], { producer: { id: runId, attempt: 1, n } });
      await expect(appended).rejects.toMatchObject({ code: 'FENCED' });
    }
    const stopped = first.supervisor.stop(runId);
    await first.clock.advance(1_000);
    expect(await stopped).toBeUndefined();
    expect((await next.terminals(userId)).map(({ status }) => status)).toEqual(['completed']);
    expect((await next.runs.findRun(userId, runId))?.status).toBe('completed');
  });

  it('has three attempts; the process that finds the third dead ends it interrupted with its text', async () => {
    const first = createHarness({ define: RETRIED, agent: attempts(3) });
    const userId = first.ids.userId();
    const { runId } = await first.start(userId);
    const { next: second } = await nextProcess(first, { agent: attempts(3) });
    const { next: third } = await nextProcess(second, { agent: attempts(3) });
    expect((await third.runs.findRun(userId, runId))?.attempt).toBe(3);
    const { next: fourth, report } = await nextProcess(third, { agent: attempts(3) });
    expect(report).toMatchObject({ runsInterrupted: 1, retries: [] });
    const run = await fourth.runs.findRun(userId, runId);
    expect(run).toMatchObject({ status: 'interrupted', attempt: 3 });
    expect(await shown(fourth, userId)).toMatchObject({
      status: 'interrupted',
      messageId: run?.answerId,
      parts: [{ type: 'thinking' }, { type: 'text', text: 'attempt 3' }],
    });
  });

  it.each([
    [1, 'interrupted', 1],
    [2, 'completed', 2],
  ])('of which there may be %d in all is %s in attempt %d', async (maxRunAttempts, status, attempt) => {
    const first = createHarness({ define: RETRIED, agent: attempts(1) });
    const userId = first.ids.userId();
    const { runId } = await first.start(userId);
    const { next } = await nextProcess(first, { options: { maxRunAttempts } });
    expect(await next.runs.findRun(userId, runId)).toMatchObject({ status, attempt });
  });

  it('uses up no attempt when processes die between the retry in SQL and the start', async () => {
    const first = createHarness({ define: RETRIED, agent: attempts(1) });
    const userId = first.ids.userId();
    const { runId } = await first.start(userId);
    const recovery = createRecovery({ ...first.deps, runs: first.stores.runs });
    const answers = new Set<unknown>();
    for (let death = 1; death <= 5; death += 1) {
      const { retries } = await recovery.recover({ log: first.log });
      expect(retries.map(({ run }) => run.attempt)).toEqual([2]);
      for (const { run } of retries) answers.add(run.answerId);
    }
    expect(answers.size).toBe(1);
    const { next } = await nextProcess(first);
    expect(await next.runs.findRun(userId, runId)).toMatchObject({ status: 'completed', attempt: 2 });
    expect(answers).toContain((await next.runs.findRun(userId, runId))?.answerId);
  });

  it('is begun when its process died before its first attempt, with its message appended first', async () => {
    let isDead = true;
    const first = createHarness({
      define: RETRIED,
      append: (log) => (user, drafts, options) => (isDead ? forever() : log.append(user, drafts, options)),
    });
    const userId = first.ids.userId();
    const { runId } = await first.start(userId);
    isDead = false;
    const { next } = await nextProcess(first, { agent: attempts(0) });
    expect(await next.runs.findRun(userId, runId)).toMatchObject({ status: 'completed', attempt: 1 });
    expect(await next.types(userId)).toEqual([...BEGUN, 'agent_delta', 'agent_completed']);
  });

  it('that is no longer there, or says so no longer, leaves its run to end interrupted', async () => {
    const first = createHarness({ define: RETRIED, agent: attempts(1) });
    const userId = first.ids.userId();
    const { runId } = await first.start(userId);
    const { next } = await nextProcess(first, { define: { retryOnCrash: false } });
    expect((await next.runs.findRun(userId, runId))?.status).toBe('interrupted');
    const other = createHarness({ define: RETRIED, agent: attempts(1) });
    const started = await other.start(userId);
    const { next: renamed } = await nextProcess(other, { define: { name: 'another' } });
    expect((await renamed.runs.findRun(userId, started.runId))?.status).toBe('interrupted');
  });

  it('whose second attempt never began lets that begin with its end: nobody waits for the first', async () => {
    const first = createHarness({ define: RETRIED, agent: attempts(1) });
    const userId = first.ids.userId();
    const { runId } = await first.start(userId);
    await createRecovery({ ...first.deps, runs: first.stores.runs }).recover({ log: first.log });
    const { next } = await nextProcess(first, { define: { retryOnCrash: false } });
    const run = await next.runs.findRun(userId, runId);
    expect(run).toMatchObject({ status: 'interrupted', attempt: 2 });
    expect((await next.types(userId)).slice(-2)).toEqual(['agent_started', 'agent_completed']);
    expect(await shown(next, userId)).toMatchObject({
      status: 'interrupted',
      attempt: 2,
      messageId: run?.answerId,
      parts: [],
    });
  });

  it('whose second attempt cannot begin ends failed, and clients see the end', async () => {
    const first = createHarness({ define: RETRIED, agent: attempts(1) });
    const userId = first.ids.userId();
    const { runId } = await first.start(userId);
    const { next } = await nextProcess(first, {
      runs: { startRun: async () => await Promise.reject(new Error('SQL is away')) },
      append: (log) => (user, drafts, options) =>
        drafts.length === 1 && drafts[0]?.type === 'agent_started'
          ? Promise.reject(new Error('the log is away'))
          : log.append(user, drafts, options),
    });
    await next.clock.advance(1_000);
    const run = await next.runs.findRun(userId, runId);
    expect(run).toMatchObject({ status: 'failed', attempt: 2 });
    expect(await shown(next, userId)).toMatchObject({ status: 'failed', messageId: run?.answerId });
  });

  it('counts towards the limits and is not held back by them', async () => {
    const first = createHarness({ define: RETRIED, agent: attempts(9) });
    const [one, two] = [first.ids.userId(), first.ids.userId()];
    await first.start(one);
    await first.start(two);
    const { next } = await nextProcess(first, {
      agent: attempts(9),
      options: { maxRuns: 1, maxRunsPerUser: 1 },
    });
    expect(next.supervisor.stats()).toMatchObject({ active: 2, reserved: 0 });
    expect(await next.say(next.ids.userId())).toMatchObject({ rejected: { code: 'RUN_LIMIT' } });
    const closing = next.supervisor.close();
    await next.clock.advance(2_000);
    await closing;
    expect(next.supervisor.stats()).toMatchObject({ active: 0, reserved: 0 });
  });
});

describe('a server that stops', () => {
  it('[ST-2] leaves a run with retryOnCrash to the next process, and ends the others interrupted', async () => {
    const first = createHarness({ define: RETRIED, agent: attempts(1) });
    const plain = createHarness({ before: first, agent: attempts(1) });
    const [kept, ended] = [first.ids.userId(), first.ids.userId()];
    const left = await first.start(kept);
    const gone = await plain.start(ended);
    const closing = Promise.all([first.supervisor.close(), plain.supervisor.close()]);
    await first.clock.advance(2_000);
    await closing;
    expect((await first.runs.findRun(kept, left.runId))?.status).toBe('running');
    expect((await first.runs.findRun(ended, gone.runId))?.status).toBe('interrupted');
    expect(await first.terminals(kept)).toEqual([]);
    expect(first.counts()).toEqual({ ...NOTHING, timers: expect.any(Number) });
    const { next } = await nextProcess(first);
    expect(await next.runs.findRun(kept, left.runId)).toMatchObject({ status: 'completed', attempt: 2 });
  });

  it('[ST-2] ends the last attempt of a run interrupted', async () => {
    const first = createHarness({ define: RETRIED, agent: attempts(1), options: { maxRunAttempts: 1 } });
    const userId = first.ids.userId();
    const { runId } = await first.start(userId);
    const closing = first.supervisor.close();
    await first.clock.advance(2_000);
    await closing;
    expect((await first.runs.findRun(userId, runId))?.status).toBe('interrupted');
  });

  it('[ST-2] uses up no attempt of a run that has not started', async () => {
    let announce: (() => void) | undefined;
    const first = createHarness({
      define: RETRIED,
      append: (log) => async (user, drafts, options) => {
        await new Promise<void>((resolve) => {
          announce = resolve;
        });
        return await log.append(user, drafts, options);
      },
    });
    const userId = first.ids.userId();
    const { runId } = await first.start(userId);
    const closing = first.supervisor.close();
    announce?.();
    await first.clock.advance(2_000);
    await closing;
    expect(await first.runs.findRun(userId, runId)).toMatchObject({ status: 'accepted', attempt: 1 });
    const { next } = await nextProcess(first, { agent: attempts(0) });
    expect(await next.runs.findRun(userId, runId)).toMatchObject({ status: 'completed', attempt: 1 });
  });

  it('starts nothing that it is asked to resume while it drains', async () => {
    const first = createHarness({ define: RETRIED, agent: attempts(1) });
    const userId = first.ids.userId();
    const { runId } = await first.start(userId);
    const next = createHarness({ define: RETRIED, before: first });
    const report = await createRecovery({ ...next.deps, runs: next.stores.runs }).recover({ log: first.log });
    await next.supervisor.close();
    next.supervisor.resume(report);
    await next.clock.settle();
    expect(next.counts()).toMatchObject({ active: 0, reserved: 0 });
    expect(await next.runs.findRun(userId, runId)).toMatchObject({ status: 'accepted', attempt: 2 });
  });
});
