import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import type { EventLog, Producer } from '@runwire/event-log';
import { createDeferred } from '@runwire/kernel';
import type { EventDraft, RunwireEvent } from '@runwire/protocol';
import type { TerminalDraft } from '../src/index.js';
import { createHarness, range } from './support/harness.js';
import { through } from './support/through.js';

interface Append {
  readonly types: readonly string[];
  readonly producer: Producer | undefined;
  readonly drafts: readonly EventDraft[];
}

/** Records appends; `gate` holds them back, `fails` rejects them. */
function recordingLog() {
  const appends: Append[] = [];
  const control: { gate: Promise<void> | undefined; fails: Error | undefined } = {
    gate: undefined,
    fails: undefined,
  };
  const wrap = (log: EventLog): EventLog => ({
    ...through(log),
    async append(userId, drafts, options) {
      appends.push({ types: drafts.map((draft) => draft.type), producer: options?.producer, drafts });
      if (control.gate !== undefined) await control.gate;
      if (control.fails !== undefined) throw control.fails;
      return log.append(userId, drafts, options);
    },
  });
  return { appends, control, wrap };
}

function setUp(over: Parameters<typeof createHarness>[0] = {}) {
  const recording = recordingLog();
  const harness = createHarness({ ...over, log: recording.wrap });
  const messageId = harness.ids.messageId();
  return {
    ...harness,
    ...recording,
    messageId,
    started: { agent: 'a', messageId, attempt: 1 },
    completed: { agent: 'a', messageId, status: 'completed' as const, durationMs: 5 },
    delta: (text: string, part = 0) => ({ messageId, part, kind: 'text' as const, text }),
    stored: async (): Promise<readonly RunwireEvent[]> => {
      const { epoch } = await harness.log.stream(harness.userId);
      const limits = { limitEvents: 100_000, limitBytes: 1e9 };
      const page = await harness.log.read(harness.userId, { after: { epoch, seq: 0 }, ...limits });
      return page.kind === 'page' ? page.events.map((event) => JSON.parse(event.json) as RunwireEvent) : [];
    },
  };
}

describe('an emitter', () => {
  it('emits each kind of event of its run, in the order of the calls', async () => {
    const { emitter, started, completed, delta, stored, ids, messageId } = setUp();
    const run = emitter();
    const toolCallId = ids.toolCallId();
    await run.agentStarted(started);
    await run.agentThinking({ agent: 'a', text: 'hm' });
    await run.toolExecuting({ toolCallId, tool: 't', input: {} });
    await run.approvalRequired({ toolCallId, tool: 't', input: {}, expiresAtMs: 1 });
    await run.approvalResolved({ toolCallId, approved: true, by: 'u' });
    await run.toolProgress({ toolCallId, percent: 50 });
    await run.toolCompleted({ toolCallId, tool: 't', status: 'success', output: 1, durationMs: 1 });
    await run.agentError({ code: 'C', message: 'm', recoverable: true });
    await run.agentDelta(delta('answer'));
    await run.agentCompleted({ ...completed, result: 'answer' });
    const events = await stored();
    expect(events.map(({ type }) => type)).toEqual([
      'agent_started',
      'agent_thinking',
      'tool_executing',
      'approval_required',
      'approval_resolved',
      'tool_progress',
      'tool_completed',
      'agent_error',
      'agent_delta',
      'agent_completed',
    ]);
    const { threadId, runId } = run.context;
    for (const event of events) expect(event).toMatchObject({ threadId, runId });
    expect(events.at(-1)?.data).toEqual({
      agent: 'a',
      messageId,
      status: 'completed',
      durationMs: 5,
      result: 'answer',
    });
  });

  it('appends the first event at once, and together what comes meanwhile, under its own producer', async () => {
    const { emitter, appends, control, started } = setUp();
    const run = emitter(undefined, { attempt: 2 });
    const gate = createDeferred();
    control.gate = gate.promise;
    const emitted = [
      run.agentStarted(started),
      ...range(1, 3).map((n) => run.agentThinking({ agent: 'a', text: `${n}` })),
    ];
    expect(appends.map(({ types }) => types)).toEqual([['agent_started']]);
    gate.resolve();
    await Promise.all(emitted);
    expect(appends.map(({ types }) => types.length)).toEqual([1, 3]);
    const id = run.context.runId;
    expect(appends.map(({ producer }) => producer)).toEqual([
      { id, attempt: 2, n: 1 },
      { id, attempt: 2, n: 2 },
    ]);
  });

  it('rolls deltas up: at once, at the end of the window, and before any other event', async () => {
    const { emitter, delta, stored, clock } = setUp();
    const run = emitter();
    for (const text of ['a', 'b', 'c']) await run.agentDelta(delta(text));
    await clock.advance(39);
    expect((await stored()).map(({ data }) => data)).toMatchObject([{ text: 'a', offset: 0 }]);
    await clock.advance(1);
    await run.agentDelta(delta('d'));
    await run.agentThinking({ agent: 'a', text: 'hm' });
    expect((await stored()).map(({ data }) => data)).toMatchObject([
      { text: 'a' },
      { text: 'bc', offset: 1 },
      { text: 'd', offset: 3 },
      { text: 'hm' },
    ]);
    await run.agentDelta(delta(''));
    run.close();
    expect(await stored()).toHaveLength(4);
  });

  it('flushes what waits for its window', async () => {
    const { emitter, delta, stored } = setUp();
    const run = emitter();
    await run.agentDelta(delta('a'));
    await run.agentDelta(delta('b'));
    await run.flush();
    expect(await stored()).toHaveLength(2);
    await run.flush();
    run.close();
  });

  it('keeps text byte-equal with lone surrogates and pairs torn between deltas', async () => {
    const { emitter, delta, stored, completed } = setUp();
    const run = emitter();
    const pieces = ['a\ud83d', '\ude00', 'b\ude00', 'c\ud83d', 'd', '😀\ud83d'];
    for (const piece of pieces) {
      await run.agentDelta(delta(piece));
      await run.agentThinking({ agent: 'a', text: 'between' });
    }
    await run.agentCompleted(completed);
    let text = '';
    for (const event of await stored()) if (event.type === 'agent_delta') text += event.data.text;
    expect(text).toBe(pieces.join(''));
  });

  it('knows when it last emitted', async () => {
    const { emitter, delta, clock } = setUp();
    const run = emitter();
    await clock.advance(10);
    await run.agentDelta(delta('a'));
    expect(run.lastEmitAtMs).toBe(10);
    await clock.advance(10);
    await run.agentDelta(delta(''));
    expect(run.lastEmitAtMs).toBe(10);
    await run.agentThinking({ agent: 'a', text: 'hm' });
    expect(run.lastEmitAtMs).toBe(20);
  });

  it('is one per attempt', async () => {
    const { bridge, context, stored } = setUp();
    const one = context();
    const first = bridge.createUserEmitter(one);
    expect(() => bridge.createUserEmitter(one)).toThrow(expect.objectContaining({ code: 'EMITTER_EXISTS' }));
    const second = bridge.createUserEmitter(one, { attempt: 2 });
    await first.agentThinking({ agent: 'a', text: 'one' });
    first.close();
    second.close();
    const again = bridge.createUserEmitter(one);
    // What the log drops as a repeat is never taken for done.
    await expect(again.agentThinking({ agent: 'a', text: 'two' })).rejects.toMatchObject({
      code: 'EMIT_FAILED',
    });
    expect(await stored()).toHaveLength(1);
  });
});

describe('the end of a run', () => {
  it('flushes, commits the terminal draft with its key, appends it, and takes nothing more', async () => {
    const { emitter, started, completed, delta, stored, bridge, messageId } = setUp();
    const run = emitter();
    await run.agentStarted(started);
    await run.agentDelta(delta('a'));
    await run.agentDelta(delta('b'));
    const commits: TerminalDraft[] = [];
    let storedAtCommit = 0;
    await run.agentCompleted(completed, async (terminal) => {
      commits.push(terminal);
      storedAtCommit = (await stored()).length;
    });
    const { threadId, runId } = run.context;
    expect(commits).toEqual([
      {
        draft: { type: 'agent_completed', threadId, runId, data: completed },
        producer: { id: runId, attempt: 1, n: 4 },
      },
    ]);
    expect(storedAtCommit).toBe(3);
    expect((await stored()).at(-1)).toMatchObject({ type: 'agent_completed', seq: 4 });
    const refused = { code: 'EMITTER_CLOSED' };
    await expect(run.agentDelta({ messageId, part: 0, kind: 'text', text: 'late' })).rejects.toMatchObject(
      refused,
    );
    await expect(run.agentCompleted(completed)).rejects.toMatchObject(refused);
    expect(bridge.stats().emitters).toBe(0);
  });

  it('appends nothing when the commit rejects, rejects with its reason, and can be tried again', async () => {
    const { emitter, completed, stored } = setUp();
    const run = emitter();
    const reason = new Error('not running any more');
    await expect(run.agentCompleted(completed, () => Promise.reject(reason))).rejects.toBe(reason);
    expect(await stored()).toEqual([]);
    await run.agentThinking({ agent: 'a', text: 'on' });
    await run.agentCompleted({ ...completed, status: 'failed' });
    expect((await stored()).map(({ type }) => type)).toEqual(['agent_thinking', 'agent_completed']);
  });

  it('refuses other events while it is under way', async () => {
    const { emitter, completed } = setUp();
    const run = emitter();
    const gate = createDeferred();
    const ended = run.agentCompleted(completed, () => gate.promise);
    await expect(run.agentThinking({ agent: 'a', text: 'x' })).rejects.toMatchObject({
      code: 'EMITTER_CLOSED',
    });
    gate.resolve();
    await ended;
  });

  it('appends what was committed even if the emitter is closed meanwhile', async () => {
    const { emitter, completed, stored, clock } = setUp();
    const run = emitter();
    const gate = createDeferred();
    const ended = run.agentCompleted(completed, () => gate.promise);
    await clock.settle();
    run.close();
    gate.resolve();
    await ended;
    expect(await stored()).toHaveLength(1);
  });

  it('commits nothing when the emitter is closed before', async () => {
    const { emitter, completed, stored } = setUp();
    const run = emitter();
    let commits = 0;
    const ended = run.agentCompleted(completed, async () => {
      commits += 1;
    });
    run.close();
    await expect(ended).rejects.toMatchObject({ code: 'EMITTER_CLOSED' });
    expect([commits, await stored()]).toEqual([0, []]);
  });
});

describe('an append that fails', () => {
  it('fails the run loudly: what is pending and what comes later rejects with the cause', async () => {
    const { emitter, control, started, completed, delta, stored } = setUp();
    const run = emitter();
    const cause = new Error('disk full');
    control.fails = cause;
    const pending = [run.agentStarted(started), run.agentThinking({ agent: 'a', text: 'queued' })];
    const outcomes = await Promise.allSettled(pending);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: 'EMIT_FAILED', cause } });
    control.fails = undefined;
    await expect(run.agentDelta(delta('x'))).rejects.toMatchObject({ code: 'EMIT_FAILED', cause });
    await expect(run.agentCompleted(completed)).rejects.toMatchObject({ code: 'EMIT_FAILED' });
    await expect(run.flush()).rejects.toMatchObject({ code: 'EMIT_FAILED' });
    expect(await stored()).toEqual([]);
  });

  it("leaves the user's other runs alone, and closes for good", async () => {
    const { emitter, control, bridge, clock } = setUp();
    const run = emitter();
    control.fails = new Error('disk full');
    await expect(run.agentThinking({ agent: 'a', text: 'x' })).rejects.toMatchObject({ code: 'EMIT_FAILED' });
    control.fails = undefined;
    const other = emitter();
    await other.agentThinking({ agent: 'a', text: 'fine' });
    await run[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    expect(bridge.stats().emitters).toBe(0);
    expect(clock.pendingTimers).toBeLessThanOrEqual(1);
  });

  it('refuses what is no JSON before anything is queued', async () => {
    const { emitter, stored } = setUp();
    const run = emitter();
    const input: Record<string, unknown> = {};
    input['self'] = input;
    const refused = run.toolExecuting({ toolCallId: 't', tool: 't', input });
    await expect(refused).rejects.toMatchObject({ code: 'EMIT_FAILED' });
    await run.agentThinking({ agent: 'a', text: 'on' });
    expect(await stored()).toHaveLength(1);
  });
});

describe('backpressure', () => {
  it('lets deltas wait above the pending limit until the log has taken enough', async () => {
    const { emitter, control, delta, clock } = setUp({ options: { emit: { maxPendingBytes: 10_000 } } });
    const run = emitter();
    const gate = createDeferred();
    control.gate = gate.promise;
    await run.agentDelta(delta('x'.repeat(9_000), 0));
    let settled = false;
    const waiting = run.agentDelta(delta('y'.repeat(2_000), 1)).then(() => {
      settled = true;
    });
    await clock.settle();
    expect(settled).toBe(false);
    gate.resolve();
    await waiting;
    run.close();
  });

  it('rejects deltas that wait when the emitter is closed', async () => {
    const { emitter, control, delta } = setUp({ options: { emit: { maxPendingBytes: 100 } } });
    const run = emitter();
    control.gate = createDeferred().promise;
    const waiting = run.agentDelta(delta('x'.repeat(200)));
    run.close();
    await expect(waiting).rejects.toMatchObject({ code: 'EMITTER_CLOSED' });
  });

  it('fails a run that emits without waiting beyond the limit', async () => {
    const { emitter, control, delta } = setUp({ options: { emit: { maxUnawaitedBytes: 100_000 } } });
    const run = emitter();
    control.gate = createDeferred().promise;
    const emitted = range(0, 20).map((part) => run.agentDelta(delta('x'.repeat(9_000), part)));
    await expect(emitted.at(-1)).rejects.toMatchObject({ code: 'EMIT_OVERFLOW' });
    run.close();
  });

  it("logs at most so many bytes per user and second, over all of the user's runs", async () => {
    const limit = 100_000;
    const { emitter, delta, appends, clock, ids } = setUp({
      options: { emit: { maxLoggedBytesPerSecond: limit } },
    });
    const runs = [emitter(), emitter()];
    const stranger = emitter(ids.userId());
    const bytes = () =>
      appends
        .flatMap(({ drafts }) => drafts)
        .reduce((sum, draft) => sum + Buffer.byteLength(JSON.stringify(draft)), 0);
    const flood = range(0, 39).flatMap((part) =>
      runs.map((run) => run.agentThinking({ agent: `${part}`, text: 'x'.repeat(10_000) })),
    );
    await clock.settle();
    expect(bytes()).toBeLessThanOrEqual(3 * limit);
    await stranger.agentDelta(delta('not affected'));
    let before = bytes();
    for (let second = 0; second < 5; second += 1) {
      await clock.advance(1_000);
      expect(bytes() - before).toBeLessThanOrEqual(3 * limit);
      before = bytes();
    }
    await clock.advance(10_000);
    await Promise.all(flood);
    for (const run of [...runs, stranger]) run.close();
  });

  it('carries at most so many bytes in one append', async () => {
    const { emitter, appends, control } = setUp({ options: { emit: { maxAppendBytes: 5_000 } } });
    const run = emitter();
    const gate = createDeferred();
    control.gate = gate.promise;
    const emitted = range(1, 10).map(() => run.agentThinking({ agent: 'a', text: 'x'.repeat(1_000) }));
    gate.resolve();
    await Promise.all(emitted);
    expect(appends.map(({ types }) => types.length)).toEqual([1, 3, 3, 3]);
  });
});

describe('values that are too large for an event', () => {
  const LIMIT = 262_144;

  function withStore(fails = false) {
    const kept: unknown[] = [];
    const gate = createDeferred();
    const keep = async (what: unknown, url: string) => {
      await gate.promise;
      if (fails) throw new Error('no space');
      kept.push(what);
      return url;
    };
    const largeValues = {
      storeResult: (_context: unknown, text: string) => keep(text, '/result'),
      storeToolOutput: (_context: unknown, _id: string, output: unknown) => keep(output, '/output'),
    };
    return { kept, gate, setup: setUp({ deps: { largeValues } }) };
  }

  it('are stored first, and the event has their url; what is emitted meanwhile comes after', async () => {
    const { kept, gate, setup } = withStore();
    const { emitter, stored, completed, clock } = setup;
    const run = emitter();
    const output = 'é'.repeat(LIMIT / 2);
    const tool = run.toolCompleted({ toolCallId: 't', tool: 't', status: 'success', output, durationMs: 1 });
    const after = run.agentThinking({ agent: 'a', text: 'after' });
    await clock.settle();
    expect(await stored()).toEqual([]);
    gate.resolve();
    await Promise.all([tool, after]);
    const result = 'x'.repeat(LIMIT);
    await run.agentCompleted({ ...completed, result });
    expect((await stored()).map(({ data }) => data)).toEqual([
      { toolCallId: 't', tool: 't', status: 'success', durationMs: 1, outputUrl: '/output' },
      { agent: 'a', text: 'after' },
      { ...completed, resultUrl: '/result' },
    ]);
    expect(kept).toEqual([output, result]);
  });

  it('stay in the event up to the limit', async () => {
    const { setup, kept } = withStore();
    const { emitter, stored, completed } = setup;
    const run = emitter();
    await run.agentCompleted({ ...completed, result: 'x'.repeat(LIMIT - 1_000) });
    expect(kept).toEqual([]);
    expect(await stored()).toHaveLength(1);
  });

  it('reject that one emit when they cannot be stored, and the run can go on', async () => {
    const { gate, setup } = withStore(true);
    const { emitter, stored, completed } = setup;
    const run = emitter();
    gate.resolve();
    const refused = { code: 'LARGE_VALUE_NOT_STORED' };
    const large = 'x'.repeat(LIMIT);
    const tool = run.toolCompleted({
      toolCallId: 't',
      tool: 't',
      status: 'success',
      output: large,
      durationMs: 1,
    });
    const after = run.agentThinking({ agent: 'a', text: 'after' });
    await expect(tool).rejects.toMatchObject(refused);
    await after;
    await expect(run.agentCompleted({ ...completed, result: large })).rejects.toMatchObject(refused);
    await run.agentCompleted({ ...completed, status: 'failed' });
    expect((await stored()).map(({ type }) => type)).toEqual(['agent_thinking', 'agent_completed']);
  });

  it('do not keep the run from ending when their store fails at the very end', async () => {
    const { gate, setup } = withStore(true);
    const { emitter, stored, completed } = setup;
    const run = emitter();
    const before = run.agentThinking({ agent: 'a', text: 'before' });
    const output = 'x'.repeat(LIMIT);
    const tool = run.toolCompleted({ toolCallId: 't', tool: 't', status: 'success', output, durationMs: 1 });
    const ended = run.agentCompleted(completed);
    gate.resolve();
    await expect(tool).rejects.toMatchObject({ code: 'LARGE_VALUE_NOT_STORED' });
    await Promise.all([before, ended]);
    expect((await stored()).map(({ type }) => type)).toEqual(['agent_thinking', 'agent_completed']);
  });

  it('are refused by name without a store', async () => {
    const { emitter, completed } = setUp();
    const run = emitter();
    const missing = { code: 'BRIDGE_MISSING_DEPENDENCY', details: { dependency: 'largeValues' } };
    const large = 'x'.repeat(LIMIT);
    const tool = run.toolCompleted({
      toolCallId: 't',
      tool: 't',
      status: 'success',
      output: large,
      durationMs: 1,
    });
    await expect(tool).rejects.toMatchObject(missing);
    await expect(run.agentCompleted({ ...completed, result: large })).rejects.toMatchObject(missing);
    run.close();
  });
});
