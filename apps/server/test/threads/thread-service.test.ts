import { describe, expect, it } from '@jest/globals';
import { createAgentRegistry, createRecovery, defineAgent } from '@runwire/agent-handler';
import { createMemoryEventLog, type EventLog } from '@runwire/event-log';
import { createIdGenerator, type UserId } from '@runwire/id-generation';
import { createDeferred } from '@runwire/kernel';
import { createManualClock, createRecordingLogger } from '@runwire/kernel/testing';
import type { RunwireEvent } from '@runwire/protocol';
import { createRequestContext } from '@runwire/user-context';
import { TOKENS } from '../../src/composition/tokens.js';
import { createSqlRunStore } from '../../src/persistence/run-store.js';
import { createOutboxSender } from '../../src/threads/outbox-sender.js';
import { createThreadService } from '../../src/threads/thread-service.js';
import { compose } from '../support/composed.js';
import { openTestDatabase } from '../support/database.js';

const NO_AGENTS = createAgentRegistry(
  [defineAgent({ name: 'none', description: '', run: async () => ({}) })],
  {
    defaultAgent: 'none',
  },
);

/** What a process does on its way through a deletion, and can fail or die at. */
type Step = 'stop' | 'append' | 'erase';

/** The service over a database and a log that outlive it. */
async function createFixture() {
  const database = await openTestDatabase();
  const { db, sessions } = database;
  const clock = createManualClock();
  const logger = createRecordingLogger();
  const ids = createIdGenerator({ clock });
  const log = createMemoryEventLog({ clock, ids, logger });
  const runs = createSqlRunStore({ sessions, clock, commandRetentionMs: 60_000 });
  const userId = ids.userId();
  await database.addUser(userId);

  /** A process: what it is about to do is told to `before`, which may keep it from doing it. */
  const start = (before: (step: Step) => Promise<void> = async () => undefined) => {
    const outbox = createOutboxSender({
      clock,
      logger,
      runs,
      events: {
        async appendForUser(user, drafts, producer) {
          await before('append');
          await log.append(user, drafts, { producer });
        },
      },
    });
    const threads = createThreadService({
      clock,
      logger,
      ids,
      sessions,
      outbox,
      log: {
        async erase(user, what) {
          await before('erase');
          return await log.erase(user, what);
        },
      },
      supervisor: { stopThread: () => before('stop') },
    });
    const context = (user: UserId) => createRequestContext({ userId: user, requestId: ids.requestId() });
    return {
      threads,
      outbox,
      create: (title: string) => sessions.with((session) => threads.create(session, context(userId), title)),
      rename: (id: string, title: string, user = userId) =>
        sessions.with((session) => threads.rename(session, context(user), id, title)),
      remove: (id: string, user = userId) =>
        sessions.with((session) => threads.remove(session, context(user), id)),
    };
  };

  return {
    db,
    sessions,
    clock,
    logger,
    ids,
    log,
    runs,
    userId,
    start,
    rows: (id: string) => db.selectFrom('threads').selectAll().where('id', '=', id).execute(),
    types: async () => (await eventsOf(log, userId)).map(({ type }) => type),
    /** What a start does about what an earlier process left. */
    async recover() {
      await createRecovery({ clock, logger, ids, runs, agents: NO_AGENTS }).recover({ log });
      return await start().threads.resumeDeletions();
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

async function eventsOf(log: EventLog, userId: UserId): Promise<readonly RunwireEvent[]> {
  const { epoch } = await log.stream(userId);
  const page = await log.read(userId, {
    after: { epoch, seq: 0 },
    limitEvents: 1_000,
    limitBytes: 1_000_000,
  });
  if (page.kind === 'reset') throw new Error(page.reason);
  return page.events.map(({ json }) => JSON.parse(json) as RunwireEvent);
}

const away = (): Promise<never> => Promise.reject(new Error('it is away'));

describe('the thread service', () => {
  it("creates and renames, each with the event that tells the user's other tabs", async () => {
    await using fixture = await createFixture();
    const { create, rename } = fixture.start();
    const { id } = await create('First');
    await expect(rename(id, 'Second')).resolves.toBe(true);
    await expect(fixture.rows(id)).resolves.toMatchObject([{ title: 'Second' }]);
    await expect(eventsOf(fixture.log, fixture.userId)).resolves.toMatchObject([
      { type: 'thread_created', threadId: id, data: { title: 'First' } },
      { type: 'thread_updated', threadId: id, data: { title: 'Second' } },
    ]);
    await expect(fixture.runs.pendingOutbox()).resolves.toEqual([]);
  });

  it('[TH-1] does nothing with a foreign, unknown or malformed thread', async () => {
    await using fixture = await createFixture();
    const { create, rename, remove } = fixture.start();
    const { id } = await create('Mine');
    const stranger = fixture.ids.userId();
    for (const threadId of [id, fixture.ids.threadId(), 'nothing', '']) {
      await expect(rename(threadId, 'Taken', stranger)).resolves.toBe(false);
      await expect(remove(threadId, stranger)).resolves.toBe(false);
    }
    await expect(fixture.rows(id)).resolves.toMatchObject([{ title: 'Mine', deleting_at_ms: null }]);
    await expect(eventsOf(fixture.log, stranger)).resolves.toEqual([]);
  });

  it('answers as committed while the log is away, and tells of it in order once it is back', async () => {
    await using fixture = await createFixture();
    let isAway = true;
    const { create, rename } = fixture.start(async (step) => {
      if (step === 'append' && isAway) await away();
    });
    const { id } = await create('First');
    await expect(rename(id, 'Second')).resolves.toBe(true);
    await expect(fixture.types()).resolves.toEqual([]);
    isAway = false;
    await fixture.clock.advance(20_000);
    await expect(fixture.types()).resolves.toEqual(['thread_created', 'thread_updated']);
    await expect(fixture.runs.pendingOutbox()).resolves.toEqual([]);
  });

  it('removes a thread: its rows, then its events but the one that tells of it', async () => {
    await using fixture = await createFixture();
    const { create, remove } = fixture.start();
    const { id } = await create('To be deleted');
    const kept = await create('Kept');
    await expect(remove(id)).resolves.toBe(true);
    await expect(remove(id)).resolves.toBe(false);
    await expect(fixture.rows(id)).resolves.toEqual([]);
    await expect(fixture.rows(kept.id)).resolves.toHaveLength(1);
    await expect(fixture.types()).resolves.toEqual(['erased', 'thread_created', 'thread_deleted']);
    await expect(fixture.recover()).resolves.toBe(0);
  });

  it('[CX-7] goes on with a deletion that has begun when its request is over', async () => {
    await using fixture = await createFixture();
    const session = fixture.sessions.open();
    const { create, threads } = fixture.start(async (step) => {
      if (step === 'stop') await session.close();
    });
    const { id } = await create('To be deleted');
    const context = createRequestContext({ userId: fixture.userId, requestId: fixture.ids.requestId() });
    await expect(threads.remove(session, context, id)).resolves.toBe(true);
    await expect(fixture.rows(id)).resolves.toEqual([]);
    await expect(fixture.types()).resolves.toEqual(['erased', 'thread_deleted']);
    expect(fixture.sessions.stats).toMatchObject({ open: 0, failed: 0 });
  });

  it('waits for a run that was accepted just before and is about to start', async () => {
    await using fixture = await createFixture();
    const { db, clock, ids, runs, userId } = fixture;
    const openRuns = () => db.selectFrom('runs').selectAll().where('status', '=', 'accepted').execute();
    const seen: number[] = [];
    // The run's starter gets to the supervisor only after the first question.
    const service = fixture.start(async (step) => {
      if (step === 'stop') {
        if (seen.length === 1) await db.updateTable('runs').set({ status: 'cancelled' }).execute();
        seen.push((await openRuns()).length);
      }
      if (step === 'append' && seen.length > 0) expect(await openRuns()).toEqual([]);
    });
    const thread = await service.create('Norway');
    await runs.acceptMessage({
      userId,
      command: undefined,
      producer: { id: 'cmd:ask', attempt: 1, n: 1 },
      thread: { kind: 'existing', threadId: thread.id },
      title: 'Norway',
      messageId: ids.messageId(),
      runId: ids.runId(thread.id),
      answerId: ids.messageId(),
      agent: 'echo',
      parts: [{ type: 'text', text: 'hello' }],
      metadata: undefined,
      nowMs: clock.nowMs(),
    });
    const removed = service.remove(thread.id);
    while (seen.length < 2) await clock.advance(10);
    expect(await removed).toBe(true);
    expect(seen).toEqual([1, 0]);
  });

  it('removes a thread with a run under way: the run ends first, then nothing of it is left', async () => {
    const running = createDeferred();
    const waits = defineAgent({
      name: 'waits',
      description: 'Waits until it is stopped.',
      async run({ signal, emit }) {
        await emit.text('So far.');
        running.resolve();
        return await new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(new Error('stopped'))),
        );
      },
    });
    await using composed = await compose({ agents: [waits] });
    const { headers, user } = await composed.register('somebody');
    const userId = user.id as UserId;
    const { app } = composed.router;
    const made = await app.inject({ method: 'POST', url: '/api/threads', headers, payload: {} });
    const { id } = made.json();
    const url = `/api/threads/${id}`;
    const payload = { content: 'Wait for me.', agent: 'waits' };
    const said = await app.inject({ method: 'POST', url: `${url}/messages`, headers, payload });
    expect(said.statusCode).toBe(202);
    await running.promise;
    const removed = await app.inject({ method: 'DELETE', url, headers });
    expect(removed.statusCode).toBe(204);
    const supervisor = composed.scope.get(TOKENS.supervisor);
    expect(supervisor.stats()).toMatchObject({ active: 0, ended: { cancelled: 1 } });
    for (const path of [url, `/api/runs/${said.json().runId}`]) {
      expect((await app.inject({ method: 'GET', url: path, headers })).statusCode).toBe(404);
    }
    const types = (await eventsOf(composed.log, userId)).map(({ type }) => type);
    expect(types.at(-1)).toBe('thread_deleted');
    expect(new Set(types.slice(0, -1))).toEqual(new Set(['erased']));
  });
});

describe('a deletion that is cut short', () => {
  for (const cut of ['stop', 'append', 'erase'] as const) {
    it(`is finished by the next start when the process dies before it can ${cut}`, async () => {
      await using fixture = await createFixture();
      const died = createDeferred();
      const first = fixture.start((step) => {
        if (step !== cut || !armed) return Promise.resolve();
        died.resolve();
        return new Promise(() => undefined);
      });
      let armed = false;
      const { id } = await first.create('To be deleted');
      const kept = await first.create('Kept');
      armed = true;
      void first.remove(id);
      await died.promise;
      await expect(fixture.rows(id)).resolves.toHaveLength(1);

      await expect(fixture.recover()).resolves.toBe(1);
      await expect(fixture.rows(id)).resolves.toEqual([]);
      await expect(fixture.rows(kept.id)).resolves.toHaveLength(1);
      await expect(fixture.types()).resolves.toEqual(['erased', 'thread_created', 'thread_deleted']);
      await expect(fixture.runs.pendingOutbox()).resolves.toEqual([]);
      await expect(fixture.recover()).resolves.toBe(0);
    });
  }

  it('is answered as done when the log cannot erase, and is finished by the next start', async () => {
    await using fixture = await createFixture();
    const { create, remove } = fixture.start((step) => (step === 'erase' ? away() : Promise.resolve()));
    const { id } = await create('To be deleted');
    await expect(remove(id)).resolves.toBe(true);
    await expect(remove(id)).resolves.toBe(false);
    expect(fixture.logger.lines.filter(({ level }) => level === 'error')).toMatchObject([
      { fields: { threadId: id } },
    ]);
    await expect(fixture.recover()).resolves.toBe(1);
    await expect(fixture.rows(id)).resolves.toEqual([]);
    await expect(fixture.types()).resolves.toEqual(['erased', 'thread_deleted']);
  });

  it('is gone for its user from its beginning, and keeps no title', async () => {
    await using fixture = await createFixture();
    const { create, remove, rename } = fixture.start((step) =>
      step === 'erase' ? away() : Promise.resolve(),
    );
    const { id } = await create('A secret title');
    await remove(id);
    await expect(rename(id, 'Back again')).resolves.toBe(false);
    await expect(fixture.rows(id)).resolves.toMatchObject([{ title: '' }]);
  });
});
