import { describe, expect, it } from '@jest/globals';
import { createDeferred } from '@runwire/kernel';
import type { TerminalDraft } from '../src/index.js';
import { range } from './support/harness.js';
import { setUpRun } from './support/recorded-run.js';

describe('an emitter', () => {
  it('emits each kind of event of its run, in the order of the calls', async () => {
    const { emitter, started, completed, delta, stored, ids, messageId } = setUpRun();
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

  it('appends together what comes together, and what comes meanwhile, under its own producer', async () => {
    const { emitter, appends, control, started } = setUpRun();
    const run = emitter(undefined, { attempt: 2 });
    const gate = createDeferred();
    control.gate = gate.promise;
    const think = (n: number) => run.agentThinking({ agent: 'a', text: `${n}` });
    const together = [run.agentStarted(started), think(1)];
    expect(appends).toEqual([]);
    await Promise.resolve();
    expect(appends.map(({ types }) => types)).toEqual([['agent_started', 'agent_thinking']]);
    const meanwhile = range(2, 4).map(think);
    gate.resolve();
    await Promise.all([...together, ...meanwhile]);
    expect(appends.map(({ types }) => types.length)).toEqual([2, 3]);
    const id = run.context.runId;
    expect(appends.map(({ producer }) => producer)).toEqual([
      { id, attempt: 2, n: 1 },
      { id, attempt: 2, n: 2 },
    ]);
  });

  it('rolls deltas up: at once, at the end of the window, and before any other event', async () => {
    const { emitter, delta, stored, clock } = setUpRun();
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
    const { emitter, delta, stored } = setUpRun();
    const run = emitter();
    await run.agentDelta(delta('a'));
    await run.agentDelta(delta('b'));
    await run.flush();
    expect(await stored()).toHaveLength(2);
    await run.flush();
    run.close();
  });

  it('keeps text byte-equal with lone surrogates and pairs torn between deltas', async () => {
    const { emitter, delta, stored, completed } = setUpRun();
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
    const { emitter, delta, clock } = setUpRun();
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
    const { bridge, context, stored } = setUpRun();
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
    const { emitter, started, completed, delta, stored, bridge, messageId } = setUpRun();
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
    const { emitter, completed, stored } = setUpRun();
    const run = emitter();
    const reason = new Error('not running any more');
    await expect(run.agentCompleted(completed, () => Promise.reject(reason))).rejects.toBe(reason);
    expect(await stored()).toEqual([]);
    await run.agentThinking({ agent: 'a', text: 'on' });
    await run.agentCompleted({ ...completed, status: 'failed' });
    expect((await stored()).map(({ type }) => type)).toEqual(['agent_thinking', 'agent_completed']);
  });

  it('refuses other events while it is under way', async () => {
    const { emitter, completed } = setUpRun();
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
    const { emitter, completed, stored, clock } = setUpRun();
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
    const { emitter, completed, stored } = setUpRun();
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
