import { describe, expect, it } from '@jest/globals';
import type { EventLog } from '@runwire/event-log';
import { EventLogError } from '@runwire/event-log';
import { createDeferred } from '@runwire/kernel';
import type { TerminalDraft } from '../src/index.js';
import { createHarness, range } from './support/harness.js';
import { setUpRun } from './support/recorded-run.js';
import { through } from './support/through.js';

const KIB = 1_024;

function writeFailed(): EventLogError {
  return new EventLogError('LOG_WRITE_FAILED', 'No space is left on the device.');
}

describe('a storage that takes no append', () => {
  it('fails the run loudly, and shows nothing that is not stored', async () => {
    const { emitter, control, attach, delta, started, stored, clock } = setUpRun();
    const { connection, cursor } = await attach();
    const run = emitter();
    await run.agentStarted(started);
    const gate = createDeferred();
    control.gate = gate.promise;
    control.fails = writeFailed();
    const emitted = [
      run.agentThinking({ agent: 'a', text: 'in flight' }),
      run.agentThinking({ agent: 'a', text: 'queued' }),
      run.agentDelta(delta('rolled up')).then(() => run.flush()),
    ];
    gate.resolve();
    const outcomes = (await Promise.allSettled(emitted)) as PromiseRejectedResult[];
    for (const { reason } of outcomes) {
      expect(reason).toMatchObject({ code: 'EMIT_FAILED', cause: { code: 'LOG_WRITE_FAILED' } });
    }
    await clock.advance(1_000);
    expect((await stored()).map(({ type }) => type)).toEqual(['agent_started']);
    expect(connection.seqs).toEqual([1]);
    // The connection has nothing to do with it.
    expect(connection.isOpen).toBe(true);
    expect(cursor.state).toBe('live');
  });

  it('lets the next run work when it takes appends again', async () => {
    const { emitter, control, attach, started, clock } = setUpRun();
    const { connection } = await attach();
    control.fails = writeFailed();
    const failed = emitter();
    await expect(failed.agentStarted(started)).rejects.toMatchObject({ code: 'EMIT_FAILED' });
    await failed[Symbol.asyncDispose]();
    control.fails = undefined;
    const run = emitter();
    await run.agentStarted(started);
    await run.agentThinking({ agent: 'a', text: 'healed' });
    await clock.settle();
    expect(connection.seqs).toEqual([1, 2]);
    expect(connection.events.every(({ runId }) => runId === run.context.runId)).toBe(true);
    run.close();
  });

  it('lets the end of the run that failed be appended later, under the key that failed or as another attempt', async () => {
    for (const attempt of [1, 2]) {
      const { emitter, control, bridge, started, completed, stored, userId } = setUpRun();
      const run = emitter();
      await run.agentStarted(started);
      control.fails = writeFailed();
      const failed = run.agentThinking({ agent: 'a', text: 'not stored' });
      await expect(failed).rejects.toMatchObject({ code: 'EMIT_FAILED' });
      await expect(run.agentCompleted(completed)).rejects.toMatchObject({ code: 'EMIT_FAILED' });
      await run[Symbol.asyncDispose]();
      control.fails = undefined;
      const { threadId, runId } = run.context;
      const end = { type: 'agent_completed', threadId, runId, data: { ...completed, status: 'failed' } };
      // The append that failed was the second of attempt 1 and has left no trace.
      const producer = { id: runId, attempt, n: attempt === 1 ? 2 : 1 };
      await bridge.appendForUser(userId, [end as TerminalDraft['draft']], producer);
      await bridge.appendForUser(userId, [end as TerminalDraft['draft']], producer);
      expect((await stored()).map(({ type }) => type)).toEqual(['agent_started', 'agent_completed']);
    }
  });

  it('does not commit the end of a run whose last deltas it did not take', async () => {
    const { emitter, control, delta, completed, stored, clock } = setUpRun();
    const run = emitter();
    await run.agentDelta(delta('stored'));
    await clock.advance(10);
    await run.agentDelta(delta('not stored'));
    control.fails = writeFailed();
    let commits = 0;
    const ended = run.agentCompleted(completed, async () => {
      commits += 1;
    });
    await expect(ended).rejects.toMatchObject({ code: 'EMIT_FAILED' });
    expect(commits).toBe(0);
    expect(await stored()).toHaveLength(1);
  });

  it('leaves a committed end to be appended under the very key it was committed with, once', async () => {
    const { emitter, control, attach, bridge, started, completed, userId, clock } = setUpRun();
    const { connection } = await attach();
    const run = emitter();
    await run.agentStarted(started);
    const commits: TerminalDraft[] = [];
    const ended = run.agentCompleted(completed, async (terminal) => {
      commits.push(terminal);
      control.fails = writeFailed();
    });
    await expect(ended).rejects.toMatchObject({
      code: 'EMIT_FAILED',
      cause: { code: 'LOG_WRITE_FAILED' },
    });
    await expect(run.agentCompleted(completed)).rejects.toMatchObject({ code: 'EMIT_FAILED' });
    await run[Symbol.asyncDispose]();
    const [committed] = commits;
    if (committed === undefined) throw new Error('Nothing was committed.');
    const repeat = () => bridge.appendForUser(userId, [committed.draft], committed.producer);
    await expect(repeat()).rejects.toMatchObject({ code: 'LOG_WRITE_FAILED' });
    control.fails = undefined;
    await repeat();
    await repeat();
    await clock.settle();
    expect(connection.types.filter((type) => type === 'agent_completed')).toHaveLength(1);
    expect(connection.seqs).toEqual([1, 2]);
    expect(bridge.stats().emitters).toBe(0);
  });

  it('fails an event that is too large for it and that nobody can store elsewhere in the same way', async () => {
    const { emitter, stored } = setUpRun();
    const run = emitter();
    await run.agentThinking({ agent: 'a', text: 'fits' });
    const tooLarge = run.agentThinking({ agent: 'a', text: 'x'.repeat(256 * KIB) });
    await expect(tooLarge).rejects.toMatchObject({
      code: 'EMIT_FAILED',
      cause: { code: 'EVENT_TOO_LARGE' },
    });
    expect(await stored()).toHaveLength(1);
  });
});

/** A log whose reads and questions fail while a test says so. */
function unreadable() {
  const fails = { read: false, stream: false };
  const wrap = (log: EventLog): EventLog => ({
    ...through(log),
    read: (...given) => (fails.read ? Promise.reject(new Error('EIO')) : log.read(...given)),
    stream: (...given) => (fails.stream ? Promise.reject(new Error('EIO')) : log.stream(...given)),
  });
  return { fails, harness: createHarness({ log: wrap }) };
}

describe('a storage that cannot be read', () => {
  it.each([
    ['read', { seq: 0 }, 'stream'],
    ['read', { seq: 0 }, 'read'],
    ['live', undefined, 'stream'],
  ] as const)(
    'closes a connection that would %s with 4500, and serves it whole when it resumes after that',
    async (_mode, resume, call) => {
      const { fails, harness } = unreadable();
      const { append, attach, bridge } = harness;
      await append(3);
      fails[call] = true;
      const { connection, cursor } = await attach(resume);
      expect(connection.closes).toMatchObject([{ code: 4500 }]);
      expect(connection.sent).toEqual([]);
      expect(cursor.state).toBe('closed');
      expect(bridge.stats()).toMatchObject({ cursors: 0, subscriptions: 0 });
      fails[call] = false;
      const again = await attach({ seq: 0 });
      expect(again.connection.seqs).toEqual([1, 2, 3]);
    },
  );

  it('closes the connection that had to read, not those at the head, and loses nothing', async () => {
    const { fails, harness } = unreadable();
    const { append, attach, epoch } = harness;
    const behind = await attach();
    const live = await attach();
    behind.connection.bufferedBytes = 64 * KIB;
    await append(5);
    fails.read = true;
    behind.connection.drain();
    await append(1);
    expect(behind.connection.closes).toMatchObject([{ code: 4500 }]);
    expect(live.connection.seqs).toEqual(range(1, 6));
    fails.read = false;
    const resumed = await attach({ epoch: await epoch(), seq: behind.cursor.sentSeq });
    expect([...behind.connection.seqs, ...resumed.connection.seqs]).toEqual(range(1, 6));
  });

  it('closes a connection that asks for a resync with 4500', async () => {
    const { fails, harness } = unreadable();
    const { append, attach, epoch } = harness;
    const { connection } = await attach();
    await append(3);
    const from = { epoch: await epoch(), seq: 1 };
    fails.read = true;
    connection.resync({ id: 'r1', ...from });
    await append(0);
    expect(connection.closes).toMatchObject([{ code: 4500 }]);
    expect(connection.seqs).toEqual([1, 2, 3]);
  });
});
