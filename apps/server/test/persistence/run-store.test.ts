import { describe, expect, it } from '@jest/globals';
import {
  createRunStoreContext,
  RUN_STORE_CONFORMANCE,
  type RunStoreConformanceContext,
} from '@runwire/agent-handler/testing';
import { LIMITS } from '@runwire/protocol';
import { createSqlRunStore } from '../../src/persistence/run-store.js';
import { createSqlThreadStore } from '../../src/persistence/thread-store.js';
import { openTestDatabase, type TestDatabase } from '../support/database.js';

function contextOf(
  { sessions, addUser }: TestDatabase,
  commandRetentionMs = LIMITS.commandRetentionMs,
): Promise<RunStoreConformanceContext> {
  return createRunStoreContext({
    open: async ({ clock }) => ({
      runs: createSqlRunStore({ sessions, clock, commandRetentionMs }),
      threads: createSqlThreadStore({ sessions }),
    }),
    addUser,
  });
}

describe('the SQL stores', () => {
  for (const { name, run } of RUN_STORE_CONFORMANCE) {
    it(name, async () => {
      await using database = await openTestDatabase();
      await run(await contextOf(database));
      expect(database.sessions.stats.open).toBe(0);
    });
  }

  it('are held to the cases: a store that breaks its contract fails some', async () => {
    const failed: string[] = [];
    for (const { name, run } of RUN_STORE_CONFORMANCE) {
      await using database = await openTestDatabase();
      const context = await contextOf(database);
      const broken = { ...context, runs: { ...methodsOf(context.runs), finishRun: async () => true } };
      await run(broken).catch(() => failed.push(name));
    }
    expect(failed.length).toBeGreaterThan(0);
  });

  it('remember an answer for as long as they are told', async () => {
    await using database = await openTestDatabase();
    const { runs, clock, newUser } = await contextOf(database, 1_000);
    const userId = await newUser();
    const command = { id: 'a-command-of-16-or-more', bodyHash: 'hash' };
    const reply = { rejected: { code: 'THREAD_BUSY', message: 'Busy.', retryable: true } } as const;
    await runs.rememberCommand(userId, command, reply);
    await clock.advance(999);
    expect((await runs.recallCommand(userId, command)).kind).toBe('done');
    await clock.advance(1);
    expect((await runs.recallCommand(userId, command)).kind).toBe('unknown');
  });

  it('begin no run again whose thread is being deleted', async () => {
    await using database = await openTestDatabase();
    const context = await contextOf(database);
    const { runs, ids, newUser } = context;
    const userId = await newUser();
    const threadId = ids.threadId();
    const runId = ids.runId(threadId);
    await runs.acceptMessage({
      userId,
      command: undefined,
      producer: { id: 'cmd:1', attempt: 1, n: 1 },
      thread: { kind: 'new', threadId },
      title: 'A thread',
      messageId: ids.messageId(),
      runId,
      answerId: ids.messageId(),
      agent: 'echo',
      parts: [],
      metadata: undefined,
      nowMs: 1,
    });
    await database.db.updateTable('threads').set({ deleting_at_ms: 1 }).execute();
    const retry = { userId, runId, attempt: 1, answerId: ids.messageId() };
    expect(await runs.retryRun(retry)).toBeUndefined();
    await runs.startRun(runId, 1);
    expect(await runs.retryRun(retry)).toBeUndefined();
    expect(await runs.findRun(userId, runId)).toMatchObject({ attempt: 1, status: 'running' });
  });

  it('leave the first answer alone when its id is used with another body', async () => {
    await using database = await openTestDatabase();
    const { runs, newUser } = await contextOf(database);
    const userId = await newUser();
    const first = { rejected: { code: 'THREAD_BUSY', message: 'Busy.', retryable: true } } as const;
    const second = { rejected: { code: 'RUN_LIMIT', message: 'Full.', retryable: true } } as const;
    await runs.rememberCommand(userId, { id: 'one', bodyHash: 'a' }, first);
    await expect(runs.rememberCommand(userId, { id: 'one', bodyHash: 'b' }, second)).resolves.toEqual(second);
    await expect(runs.recallCommand(userId, { id: 'one', bodyHash: 'a' })).resolves.toEqual({
      kind: 'done',
      reply: first,
    });
  });
});

/** A class's methods are not spread. */
function methodsOf(runs: RunStoreConformanceContext['runs']): RunStoreConformanceContext['runs'] {
  return {
    acceptMessage: (request) => runs.acceptMessage(request),
    recallCommand: (userId, command) => runs.recallCommand(userId, command),
    rememberCommand: (userId, command, reply) => runs.rememberCommand(userId, command, reply),
    startRun: (runId, attempt) => runs.startRun(runId, attempt),
    retryRun: (retry) => runs.retryRun(retry),
    finishRun: (finish) => runs.finishRun(finish),
    markAppended: (userId, producer) => runs.markAppended(userId, producer),
    findRun: (userId, runId) => runs.findRun(userId, runId),
    pendingOutbox: () => runs.pendingOutbox(),
    openRuns: () => runs.openRuns(),
  };
}
