import { describe, expect, it } from '@jest/globals';
import { type AgentRuntimeOptions, createRecovery } from '@runwire/agent-handler';
import { createMemoryStores } from '@runwire/agent-handler/testing';
import { createMemoryEventLog } from '@runwire/event-log';
import { answerText } from '@runwire/protocol';
import { ANNOUNCED, BEGUN, createHarness, forever, overlay } from './harness.js';

type Harness = ReturnType<typeof createHarness>;

/** The next process: nothing of the old one but its stores and its log. */
function recover({ deps, stores, log }: Harness, options?: AgentRuntimeOptions) {
  return createRecovery({ ...deps, runs: stores.runs }, options).recover({ log });
}

const NOTHING_LEFT = { draftsWaiting: 0, runsUnknown: 0, retries: [] };

describe('recovery', () => {
  it('ends open runs interrupted, once, with the text that the log has, and fences the old process', async () => {
    const harness = createHarness({
      agent: async ({ emit }) => {
        await emit.text('so far');
        return await forever();
      },
    });
    const userId = harness.ids.userId();
    const { runId, threadId } = await harness.start(userId);
    await harness.clock.advance(5_000);
    expect(await recover(harness)).toEqual({ draftsAppended: 1, runsInterrupted: 1, ...NOTHING_LEFT });
    expect(await recover(harness)).toEqual({ draftsAppended: 0, runsInterrupted: 0, ...NOTHING_LEFT });
    const run = await harness.runs.findRun(userId, runId);
    expect(run?.status).toBe('interrupted');
    expect(await harness.terminals(userId)).toEqual([
      {
        agent: 'test',
        messageId: run?.answerId,
        status: 'interrupted',
        error: { code: 'RUN_INTERRUPTED', message: expect.any(String) },
        durationMs: 5_000,
      },
    ]);
    const history = await harness.stores.threads.history(userId, threadId, { limit: 5 });
    expect(history.at(-1)?.text).toBe('so far');
    // The old process wakes up: it can neither end the run nor append to it.
    const stopped = harness.supervisor.stop(runId);
    await harness.clock.advance(1_000);
    expect(await stopped).toBeUndefined();
    expect(await harness.terminals(userId)).toHaveLength(1);
    expect(await harness.log.openRuns()).toEqual([]);
  });

  it('appends what was committed and not appended: first the message, then the end of its run', async () => {
    let isDead = true;
    const harness = createHarness({
      append: (log) => (user, drafts, options) => (isDead ? forever() : log.append(user, drafts, options)),
    });
    const userId = harness.ids.userId();
    await harness.start(userId);
    isDead = false;
    expect(await recover(harness)).toEqual({ draftsAppended: 2, runsInterrupted: 1, ...NOTHING_LEFT });
    expect(await harness.types(userId)).toEqual([...ANNOUNCED, 'agent_completed']);
  });

  it('does nothing twice when the process died between the append and its mark', async () => {
    const harness = createHarness({ runs: { markAppended: forever } });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.settle();
    const before = await harness.types(userId);
    expect(before).toEqual([...BEGUN, 'agent_delta', 'agent_completed']);
    expect(await recover(harness)).toEqual({ draftsAppended: 2, runsInterrupted: 0, ...NOTHING_LEFT });
    expect(await harness.types(userId)).toEqual(before);
    expect(await harness.stores.runs.pendingOutbox()).toEqual([]);
  });

  it('dies and is repeated between commit and append, with one terminal event', async () => {
    const harness = createHarness({ agent: forever });
    const userId = harness.ids.userId();
    await harness.start(userId);
    const { clock, deps, stores, log } = harness;
    const dying = createRecovery({ ...deps, runs: { ...boundTo(stores.runs), markAppended: forever } });
    void dying.recover({ log });
    await clock.settle();
    expect(await recover(harness)).toMatchObject({ runsInterrupted: 0 });
    expect((await harness.terminals(userId)).map(({ status }) => status)).toEqual(['interrupted']);
  });

  it('appends a terminal event whose run the log has lost, as its next attempt', async () => {
    const harness = createHarness({
      append: (log) => (user, drafts, options) =>
        drafts.some(({ type }) => type === 'agent_completed') ? forever() : log.append(user, drafts, options),
    });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.settle();
    const { clock, logger, ids, deps, stores } = harness;
    const emptied = createMemoryEventLog({ clock, ids, logger });
    const recovery = createRecovery({ ...deps, runs: stores.runs });
    expect(await recovery.recover({ log: emptied })).toMatchObject({ draftsAppended: 1, runsInterrupted: 0 });
    expect((await emptied.stream(userId)).head).toBe(1);
    expect(await stores.runs.pendingOutbox()).toEqual([]);
  });

  it('leaves one user who cannot be helped and helps the others', async () => {
    let isDead = true;
    const harness = createHarness({
      append: (log) => (user, drafts, options) => (isDead ? forever() : log.append(user, drafts, options)),
    });
    const [bad, good] = [harness.ids.userId(), harness.ids.userId()];
    await harness.start(bad);
    await harness.start(good);
    isDead = false;
    const { deps, stores, log } = harness;
    const broken = new Proxy(log, {
      get(target, name) {
        if (name !== 'append') return Reflect.get(target, name).bind(target);
        return async (user: typeof bad, ...rest: [never, never]) => {
          if (user === bad) throw new Error('its stream is damaged');
          return await target.append(user, ...rest);
        };
      },
    });
    const report = await createRecovery({ ...deps, runs: stores.runs }).recover({ log: broken });
    expect(report).toEqual({
      draftsAppended: 2,
      draftsWaiting: 2,
      runsInterrupted: 2,
      runsUnknown: 0,
      retries: [],
    });
    expect(await harness.types(good)).toEqual([...ANNOUNCED, 'agent_completed']);
    expect((await stores.runs.pendingOutbox()).map(({ userId }) => userId)).toEqual([bad, bad]);
    expect(await recover(harness)).toEqual({ draftsAppended: 2, runsInterrupted: 0, ...NOTHING_LEFT });
  });

  it('ends in the log, once, what the log has open and SQL does not know', async () => {
    const lost = createHarness({
      agent: async ({ emit }) => {
        await emit.text('so far');
        return await forever();
      },
    });
    const userId = lost.ids.userId();
    const { runId } = await lost.start(userId);
    await lost.clock.advance(5_000);
    // A database of before: it has never heard of the run.
    const old = createHarness({ before: { ...lost, stores: createMemoryStores(lost) } });
    expect(await recover(old)).toMatchObject({ runsInterrupted: 0, runsUnknown: 1, retries: [] });
    expect(await recover(old)).toMatchObject({ runsUnknown: 0 });
    expect((await old.events(userId)).at(-1)).toMatchObject({
      runId,
      type: 'agent_completed',
      data: { status: 'interrupted', durationMs: 5_000 },
    });
    expect(await old.log.openRuns()).toEqual([]);
    // An append of its process that comes late is refused.
    const stopped = lost.supervisor.stop(runId);
    await lost.clock.advance(1_000);
    await stopped;
    expect(await old.terminals(userId)).toHaveLength(1);
  });

  it.each([
    ['completed', undefined, sayNothing],
    ['failed', 'AGENT_FAILED', () => Promise.reject(new Error('broken'))],
  ] as const)('ends in the log as SQL has it a run that is %s there', async (status, code, end) => {
    const lost = createHarness({
      agent: async ({ emit }) => {
        await emit.text('so far');
        await end();
      },
      append: (log) => (user, drafts, options) => {
        const isEnd = drafts.some(({ type }) => type === 'agent_completed');
        return isEnd ? forever() : log.append(user, drafts, options);
      },
    });
    const { runs } = lost.stores;
    const userId = lost.ids.userId();
    const { runId } = await lost.start(userId);
    await lost.clock.advance(1_000);
    expect((await lost.runs.findRun(userId, runId))?.status).toBe(status);
    // SQL has it as appended; a power loss took it from the log.
    for (const { producer } of await runs.pendingOutbox()) await runs.markAppended(userId, producer);
    expect(await recover(lost)).toMatchObject({ draftsAppended: 0, runsInterrupted: 0, runsUnknown: 1 });
    const [terminal, ...others] = await lost.terminals(userId);
    expect([terminal?.status, terminal?.error?.code, others]).toEqual([status, code, []]);
  });

  it('goes on when what SQL does not know cannot be ended', async () => {
    const lost = createHarness({ agent: forever });
    await lost.start(lost.ids.userId());
    const old = createHarness({ before: { ...lost, stores: createMemoryStores(lost) } });
    const log = overlay(lost.log, { append: () => Promise.reject(new Error('its stream is damaged')) });
    const recovery = createRecovery({ ...old.deps, runs: old.stores.runs });
    expect(await recovery.recover({ log })).toMatchObject({ runsUnknown: 0 });
    expect(old.logger.lines.at(-1)?.level).toBe('error');
  });

  it('ends a run whose events cannot be read, without its text', async () => {
    const harness = createHarness({
      agent: async ({ emit }) => {
        await emit.text('so far');
        return await forever();
      },
    });
    const userId = harness.ids.userId();
    const { threadId } = await harness.start(userId);
    const log = overlay(harness.log, { read: () => Promise.reject(new Error('EIO')) });
    const recovery = createRecovery({ ...harness.deps, runs: harness.stores.runs });
    expect(await recovery.recover({ log })).toMatchObject({ runsInterrupted: 1, draftsWaiting: 0 });
    expect((await harness.terminals(userId)).map(({ status }) => status)).toEqual(['interrupted']);
    const history = await harness.stores.threads.history(userId, threadId, { limit: 5 });
    expect(history.at(-1)).toMatchObject({ role: 'assistant', text: '' });
  });

  it('cuts nothing off a long answer', async () => {
    const text = 'word '.repeat(100_000);
    let stored = '';
    const harness = createHarness({
      agent: async ({ emit }) => {
        await emit.text(text);
        return await forever();
      },
    });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.advance(1_000);
    const { deps, stores, log } = harness;
    const runs = {
      ...boundTo(stores.runs),
      finishRun: async (finish: Parameters<typeof stores.runs.finishRun>[0]) => {
        stored = answerText(finish.parts);
        return await stores.runs.finishRun(finish);
      },
    };
    await createRecovery({ ...deps, runs }).recover({ log });
    expect(stored).toBe(text);
  });
});

async function sayNothing(): Promise<void> {}

function boundTo(runs: Harness['stores']['runs']) {
  return {
    pendingOutbox: () => runs.pendingOutbox(),
    markAppended: runs.markAppended.bind(runs),
    openRuns: () => runs.openRuns(),
    findRun: runs.findRun.bind(runs),
    finishRun: runs.finishRun.bind(runs),
    retryRun: runs.retryRun.bind(runs),
  };
}
