import { describe, expect, it } from '@jest/globals';
import { createDeferred } from '@runwire/kernel';
import { range } from './support/harness.js';
import { setUpRun } from './support/recorded-run.js';

describe('an append that fails', () => {
  it('fails the run loudly: what is pending and what comes later rejects with the cause', async () => {
    const { emitter, control, started, completed, delta, stored } = setUpRun();
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
    const { emitter, control, bridge, clock } = setUpRun();
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
    const { emitter, stored } = setUpRun();
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
    const { emitter, control, delta, clock } = setUpRun({ options: { emit: { maxPendingBytes: 10_000 } } });
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
    const { emitter, control, delta } = setUpRun({ options: { emit: { maxPendingBytes: 100 } } });
    const run = emitter();
    control.gate = createDeferred().promise;
    const waiting = run.agentDelta(delta('x'.repeat(200)));
    run.close();
    await expect(waiting).rejects.toMatchObject({ code: 'EMITTER_CLOSED' });
  });

  it('leaves no timer behind when it is closed while it waits', async () => {
    const { emitter, delta, clock } = setUpRun({ options: { emit: { maxLoggedBytesPerSecond: 1_000 } } });
    const before = clock.pendingTimers;
    const run = emitter();
    await run.agentDelta(delta('x'.repeat(2_000)));
    await run.agentDelta(delta('waits for its window'));
    const waiting = run.agentThinking({ agent: 'a', text: 'waits for the budget' });
    await run.agentDelta(delta('waits too', 1));
    await run.agentDelta(delta('and again', 1));
    expect(clock.pendingTimers).toBeGreaterThanOrEqual(before + 2);
    run.close();
    await expect(waiting).rejects.toMatchObject({ code: 'EMITTER_CLOSED' });
    // The log's own tidying is all that is left.
    expect(clock.pendingTimers).toBeLessThanOrEqual(before + 1);
  });

  it('carries at most so many bytes in one append', async () => {
    const { emitter, appends, control } = setUpRun({ options: { emit: { maxAppendBytes: 5_000 } } });
    const run = emitter();
    const gate = createDeferred();
    control.gate = gate.promise;
    const emitted = range(1, 10).map(() => run.agentThinking({ agent: 'a', text: 'x'.repeat(1_000) }));
    gate.resolve();
    await Promise.all(emitted);
    expect(appends.map(({ types }) => types.length)).toEqual([3, 3, 3, 1]);
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
    return { kept, gate, setup: setUpRun({ deps: { largeValues } }) };
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
    const { emitter, completed } = setUpRun();
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
