import { describe, expect, it } from '@jest/globals';
import type { EventLog } from '@runwire/event-log';
import { createMemoryEventLog } from '@runwire/event-log';
import { createIdGenerator } from '@runwire/id-generation';
import { createManualClock, createRecordingLogger } from '@runwire/kernel/testing';
import { applyRunEvent, type EventDraft, type RunView, type RunwireEvent } from '@runwire/protocol';
import { createSqlRunStore } from '../../src/persistence/run-store.js';
import { readThreadSnapshot } from '../../src/threads/thread-snapshot.js';
import { openTestDatabase } from '../support/database.js';

const PAGE = { limit: 50 };

/** One thread with one accepted run, whose events and rows the test writes as it likes. */
async function createFixture() {
  const database = await openTestDatabase();
  const { sessions } = database;
  const clock = createManualClock();
  const logger = createRecordingLogger();
  const ids = createIdGenerator({ clock });
  const log = createMemoryEventLog({ clock, ids, logger });
  const runs = createSqlRunStore({ sessions, clock, commandRetentionMs: 60_000 });
  const userId = ids.userId();
  await database.addUser(userId);
  const threadId = ids.threadId();
  const [runId, messageId, answerId] = [ids.runId(threadId), ids.messageId(), ids.messageId()];
  await runs.acceptMessage({
    userId,
    command: undefined,
    producer: { id: 'cmd:one', attempt: 1, n: 1 },
    thread: { kind: 'new', threadId },
    title: 'A thread',
    messageId,
    runId,
    answerId,
    agent: 'echo',
    parts: [{ type: 'text', text: 'Count.' }],
    metadata: undefined,
    nowMs: clock.nowMs(),
  });
  await runs.startRun(runId, 1);

  let appends = 0;
  let offset = 0;
  const append = async (draft: EventDraft): Promise<void> => {
    appends += 1;
    await log.append(userId, [draft], { producer: { id: runId, attempt: 1, n: appends } });
  };
  const about = { threadId, runId };
  const completed = {
    type: 'agent_completed',
    ...about,
    data: { agent: 'echo', messageId: answerId, status: 'completed', durationMs: 5 },
  } as const;
  return {
    database,
    log,
    userId,
    threadId,
    runId,
    answerId,
    begin: () =>
      append({ type: 'agent_started', ...about, data: { agent: 'echo', attempt: 1, messageId: answerId } }),
    say: async (text: string) => {
      const data = { messageId: answerId, part: 0, kind: 'text', offset, text } as const;
      offset += text.length;
      await append({ type: 'agent_delta', ...about, data });
    },
    /** What SQL decides. */
    commit: (text: string) =>
      runs.finishRun({
        userId,
        runId,
        attempt: 1,
        status: 'completed',
        parts: [{ type: 'text', part: 0, text }],
        terminal: { draft: completed, producer: { id: runId, attempt: 1, n: appends + 1 } },
        nowMs: clock.nowMs(),
      }),
    /** What the log follows with. */
    complete: () => append(completed),
    read: (from: EventLog = log, user = userId) =>
      sessions.with((session) => readThreadSnapshot({ session, log: from }, user, threadId, PAGE)),
    stranger: ids.userId(),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

/** The log, with something happening behind its first `stream`, or before its first `openRuns` or `read`. */
function interrupted(
  log: EventLog,
  at: 'openRuns' | 'read' | 'stream',
  happens: () => Promise<unknown>,
): EventLog {
  let isDone = false;
  const once = async (): Promise<void> => {
    if (isDone) return;
    isDone = true;
    await happens();
  };
  return {
    append: (...args) => log.append(...args),
    async read(...args) {
      if (at === 'read') await once();
      return await log.read(...args);
    },
    async stream(...args) {
      const answer = await log.stream(...args);
      if (at === 'stream') await once();
      return answer;
    },
    async openRuns(...args) {
      if (at === 'openRuns') await once();
      return await log.openRuns(...args);
    },
    subscribe: (...args) => log.subscribe(...args),
    erase: (...args) => log.erase(...args),
    trim: (...args) => log.trim(...args),
    close: () => log.close(),
    [Symbol.asyncDispose]: () => log.close(),
  };
}

const textOf = (view: RunView | undefined): string =>
  (view?.parts ?? []).map((part) => ('text' in part ? part.text : '')).join('');

describe("a thread's snapshot", () => {
  it('has the open run with the parts of its answer so far, up to exactly its cursor', async () => {
    await using fixture = await createFixture();
    await fixture.begin();
    await fixture.say('1 2 ');
    await fixture.say('3 ');
    const { head, epoch, headId } = await fixture.log.stream(fixture.userId);
    const snapshot = await fixture.read();
    expect(snapshot).toMatchObject({
      thread: { title: 'A thread' },
      messages: { items: [{ role: 'user' }], before: null },
      cursor: { epoch, seq: head, id: headId },
    });
    expect(snapshot?.runs.map(textOf)).toEqual(['1 2 3 ']);
  });

  for (const at of ['stream', 'openRuns', 'read'] as const) {
    it(`folds nothing above its cursor when events come during ${at}`, async () => {
      await using fixture = await createFixture();
      await fixture.begin();
      await fixture.say('1 ');
      const before = await fixture.log.stream(fixture.userId);
      const snapshot = await fixture.read(interrupted(fixture.log, at, () => fixture.say('2 ')));
      expect(snapshot?.cursor.seq).toBe(before.head);
      expect(snapshot?.runs.map(textOf)).toEqual(['1 ']);
      // What is behind the cursor brings it up to date, once.
      const { epoch } = before;
      const after = { epoch, seq: before.head };
      const page = await fixture.log.read(fixture.userId, { after, limitEvents: 10, limitBytes: 10_000 });
      const rest =
        page.kind === 'page' ? page.events.map(({ json }) => JSON.parse(json) as RunwireEvent) : [];
      const view = rest.reduce<RunView | undefined>(
        (sofar, event) => applyRunEvent(sofar, event),
        snapshot?.runs[0],
      );
      expect(textOf(view)).toBe('1 2 ');
    });
  }

  it('may show in its rows what events above its cursor repeat: never the other way round', async () => {
    await using fixture = await createFixture();
    await fixture.begin();
    await fixture.say('1 2 3');
    const end = async () => {
      await fixture.commit('1 2 3');
      await fixture.complete();
    };
    const before = await fixture.log.stream(fixture.userId);
    const snapshot = await fixture.read(interrupted(fixture.log, 'stream', end));
    expect(snapshot?.cursor.seq).toBe(before.head);
    expect(snapshot?.runs).toEqual([]);
    expect(snapshot?.messages.items.at(-1)).toMatchObject({ id: fixture.answerId, role: 'assistant' });
  });

  for (const at of ['stream', 'openRuns', 'read'] as const) {
    it(`shows a run that ends during ${at} either open with its parts so far, or with its whole answer`, async () => {
      await using fixture = await createFixture();
      await fixture.begin();
      await fixture.say('1 2 3');
      const end = async () => {
        await fixture.commit('1 2 3');
        await fixture.complete();
      };
      const snapshot = await fixture.read(interrupted(fixture.log, at, end));
      const answers = snapshot?.messages.items.filter(({ role }) => role === 'assistant') ?? [];
      expect([...(snapshot?.runs.map(textOf) ?? []), ...answers.map(() => '1 2 3')]).toEqual(['1 2 3']);
    });
  }

  it('has the whole answer, and no run, when SQL has decided and the log has not followed', async () => {
    await using fixture = await createFixture();
    await fixture.begin();
    await fixture.commit('1 2 3');
    const snapshot = await fixture.read();
    expect(snapshot?.runs).toEqual([]);
    expect(snapshot?.messages.items.at(-1)).toMatchObject({ parts: [{ text: '1 2 3' }] });
  });

  it('has no run before its first event, and the cursor of an empty stream', async () => {
    await using fixture = await createFixture();
    const { epoch } = await fixture.log.stream(fixture.userId);
    await expect(fixture.read()).resolves.toMatchObject({ runs: [], cursor: { epoch, seq: 0 } });
  });

  it('[TH-1] is of the own thread alone', async () => {
    await using fixture = await createFixture();
    await expect(fixture.read(fixture.log, fixture.stranger)).resolves.toBeUndefined();
  });
});
