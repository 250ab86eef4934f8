import { describe, expect, it } from '@jest/globals';
import { createMemoryEventLog, type EventLog, type ReadRequest } from '@runwire/event-log';
import { createIdGenerator, type UserId } from '@runwire/id-generation';
import { createSystemClock } from '@runwire/kernel';
import { createRecordingLogger } from '@runwire/kernel/testing';
import type { RunwireEvent } from '@runwire/protocol';
import { createRunPositions } from '../../src/persistence/run-positions.js';
import { createDatabaseSessions } from '../../src/persistence/session.js';
import { IN_MEMORY, openSqlite } from '../../src/persistence/sqlite.js';
import type { EventPage } from '../../src/threads/run-events.js';
import { type Composed, compose, type SignedIn } from '../support/composed.js';

/** A server over a log that counts what is read from it. */
async function createFixture() {
  const clock = createSystemClock();
  const log = createMemoryEventLog({
    clock,
    ids: createIdGenerator({ clock }),
    logger: createRecordingLogger(),
  });
  const reads: ReadRequest[] = [];
  const composed = await compose({ log: counting(log, reads) });
  return { composed, log, reads, user: await composed.register('somebody') };
}

function counting(log: EventLog, reads: ReadRequest[]): EventLog {
  return {
    append: (userId, drafts, options) => log.append(userId, drafts, options),
    read: (userId, request) => {
      reads.push(request);
      return log.read(userId, request);
    },
    stream: (userId) => log.stream(userId),
    subscribe: (userId, onWake) => log.subscribe(userId, onWake),
    openRuns: (userId) => log.openRuns(userId),
    erase: (userId, what) => log.erase(userId, what),
    trim: (userId, range) => log.trim(userId, range),
    close: () => log.close(),
    [Symbol.asyncDispose]: () => log.close(),
  };
}

/** Has the agent answer; settles to its run when that has ended. */
async function runOf({ router }: Composed, { headers }: SignedIn, content: string): Promise<string> {
  const made = await router.app.inject({ method: 'POST', url: '/api/threads', headers, payload: {} });
  const url = `/api/threads/${made.json().id}/messages`;
  const said = await router.app.inject({ method: 'POST', url, headers, payload: { content } });
  const { runId } = said.json();
  for (;;) {
    const run = await router.app.inject({ method: 'GET', url: `/api/runs/${runId}`, headers });
    if (run.json().status === 'completed') return runId;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function pageOf(
  { router }: Composed,
  { headers }: SignedIn,
  query: string,
): Promise<EventPage & { readonly bytes: number }> {
  const answer = await router.app.inject({ method: 'GET', url: `/api/runs/${query}`, headers });
  const page = JSON.parse(answer.body) as EventPage;
  return { ...page, bytes: answer.body.length };
}

/** Appends what belongs to no run. */
async function fill(log: EventLog, userId: string, events: number): Promise<void> {
  const draft = { type: 'thread_updated', threadId: 't', data: { title: 'x' } } as const;
  await log.append(
    userId as UserId,
    Array.from({ length: events }, () => draft),
  );
}

describe("a run's events", () => {
  it('are read from where it began to where it ended, whatever else there is', async () => {
    const { composed, log, reads, user } = await createFixture();
    await using _ = composed;
    await fill(log, user.user.id, 5_000);
    const runId = await runOf(composed, user, 'what is 2 + 3?');
    await fill(log, user.user.id, 5_000);
    reads.length = 0;
    const { items, after } = await pageOf(composed, user, `${runId}/events`);
    expect(items[0]).toMatchObject({ type: 'message_added', runId });
    expect(items.at(-1)).toMatchObject({ type: 'agent_completed', runId });
    expect(after).toBeNull();
    const [first = 0, last = 0] = [items[0]?.seq, items.at(-1)?.seq];
    expect(reads).toHaveLength(1);
    expect(reads[0]).toMatchObject({ after: { seq: first - 1 }, limitEvents: last - first + 1 });
  });

  it('come in pages of so many events, and of so many bytes, that together are all of them', async () => {
    const { composed, user } = await createFixture();
    await using _ = composed;
    const runId = await runOf(composed, user, 'write 3 MB');
    const items: RunwireEvent[] = [];
    let pages = 0;
    for (let next: number | null = 0; next !== null; pages += 1) {
      const page = await pageOf(composed, user, `${runId}/events?after=${next}`);
      expect(page.bytes).toBeLessThan(1_048_576 + 20_000);
      items.push(...page.items);
      next = page.after;
    }
    expect(pages).toBeGreaterThanOrEqual(3);
    expect(items.at(-1)?.type).toBe('agent_completed');
    const text = items.reduce((length, event) => {
      return event.type === 'agent_delta' ? length + event.data.text.length : length;
    }, 0);
    expect(text).toBe(3_000_000);
    const { items: two, after } = await pageOf(composed, user, `${runId}/events?limit=2`);
    expect(two).toEqual(items.slice(0, 2));
    expect(after).toBe(two[1]?.seq);
  });

  it('are looked for in the whole stream when their place was not recorded', async () => {
    const { composed, log, user } = await createFixture();
    await using _ = composed;
    await fill(log, user.user.id, 3_000);
    const runId = await runOf(composed, user, 'what is 2 + 3?');
    const { items } = await pageOf(composed, user, `${runId}/events`);
    await composed.database.db
      .updateTable('runs')
      .set({ log_epoch: null, first_seq: null, last_seq: null })
      .execute();
    await expect(pageOf(composed, user, `${runId}/events`)).resolves.toMatchObject({ items, after: null });
  });

  it('are none when they were in a log that is lost', async () => {
    const { composed, reads, user } = await createFixture();
    await using _ = composed;
    const runId = await runOf(composed, user, 'what is 2 + 3?');
    await composed.database.db.updateTable('runs').set({ log_epoch: 'another' }).execute();
    reads.length = 0;
    await expect(pageOf(composed, user, `${runId}/events`)).resolves.toMatchObject({
      items: [],
      after: null,
    });
    expect(reads).toEqual([]);
  });
});

describe('the record of where runs are', () => {
  it('of a run that ends in another log than it began in is its end alone', async () => {
    const { composed, user } = await createFixture();
    await using _ = composed;
    const runId = await runOf(composed, user, 'what is 2 + 3?');
    const { sessions, db } = composed.database;
    const record = createRunPositions({ sessions, logger: composed.logger });
    const ids = createIdGenerator({ clock: createSystemClock() });
    const data = { agent: 'a', messageId: ids.messageId(), status: 'interrupted', durationMs: 1 } as const;
    await record({
      userId: user.user.id as UserId,
      drafts: [{ type: 'agent_completed', threadId: 't', runId, data }],
      result: { epoch: 'new', firstSeq: 4, lastSeq: 4, lastId: ids.eventId(), duplicate: false },
    });
    await expect(
      db.selectFrom('runs').select(['log_epoch', 'first_seq', 'last_seq']).execute(),
    ).resolves.toEqual([{ log_epoch: 'new', first_seq: null, last_seq: 4 }]);
  });

  it('fails no append when the database is away', async () => {
    const db = openSqlite(IN_MEMORY);
    const logger = createRecordingLogger();
    const record = createRunPositions({ sessions: createDatabaseSessions(db), logger });
    await db.destroy();
    const ids = createIdGenerator({ clock: createSystemClock() });
    const data = { messageId: ids.messageId(), role: 'user', parts: [] } as const;
    const drafts = [{ type: 'message_added', threadId: 't', runId: 'r', data }] as const;
    const result = { epoch: 'e', firstSeq: 1, lastSeq: 1, lastId: ids.eventId(), duplicate: false };
    await expect(record({ userId: ids.userId(), drafts, result })).resolves.toBeUndefined();
    expect(logger.lines).toMatchObject([{ level: 'warn' }]);
  });
});
