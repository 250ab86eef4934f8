import { describe, expect, it } from '@jest/globals';
import {
  createIdGenerator,
  type MessageId,
  type RunId,
  type ThreadId,
  type UserId,
} from '@runwire/id-generation';
import { createManualClock } from '@runwire/kernel/testing';
import type { AnswerPart } from '@runwire/protocol';
import { createRequestContext } from '@runwire/user-context';
import { createLargeValues, findLargeValue } from '../../src/persistence/large-values.js';
import { createSqlRunStore } from '../../src/persistence/run-store.js';
import { beginThreadDeletion } from '../../src/persistence/thread-deletion.js';
import {
  createSqlThreadStore,
  findThread,
  listMessages,
  listThreads,
  openRunsOf,
} from '../../src/persistence/thread-store.js';
import { openTestDatabase } from '../support/database.js';

const ANSWER: readonly AnswerPart[] = [{ type: 'text', part: 0, text: 'An answer.' }];

async function createFixture() {
  const database = await openTestDatabase();
  const clock = createManualClock();
  const ids = createIdGenerator({ clock });
  const { sessions } = database;
  const runs = createSqlRunStore({ sessions, clock, commandRetentionMs: 60_000 });

  const say = async (userId: UserId, text: string, threadId?: ThreadId) => {
    const kind = threadId === undefined ? 'new' : 'existing';
    const thread = { kind, threadId: threadId ?? ids.threadId() } as const;
    const [runId, messageId, answerId] = [ids.runId(thread.threadId), ids.messageId(), ids.messageId()];
    const accepted = await runs.acceptMessage({
      userId,
      command: undefined,
      producer: { id: `cmd:${ids.requestId()}`, attempt: 1, n: 1 },
      thread,
      title: text,
      messageId,
      runId,
      answerId,
      agent: 'echo',
      parts: [{ type: 'text', text }],
      metadata: undefined,
      nowMs: clock.nowMs(),
    });
    if (accepted.kind !== 'accepted') throw new Error(accepted.kind);
    return { userId, threadId: thread.threadId, runId, messageId, answerId };
  };

  const finish = async (said: { userId: UserId; threadId: ThreadId; runId: RunId; answerId: MessageId }) => {
    const { userId, threadId, runId, answerId } = said;
    const data = { agent: 'echo', messageId: answerId, status: 'completed', durationMs: 5 } as const;
    const draft = { type: 'agent_completed', threadId, runId, data } as const;
    const terminal = { draft, producer: { id: runId, attempt: 1, n: 2 } };
    const nowMs = clock.nowMs();
    await runs.finishRun({ userId, runId, attempt: 1, status: 'completed', parts: ANSWER, terminal, nowMs });
  };

  return {
    ...database,
    clock,
    ids,
    runs,
    say,
    finish,
    async newUser() {
      const userId = ids.userId();
      await database.addUser(userId);
      return userId;
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

describe('the list of threads', () => {
  it('has the last used first, in pages that meet without a gap', async () => {
    await using fixture = await createFixture();
    const { clock, sessions, say } = fixture;
    const userId = await fixture.newUser();
    const made: ThreadId[] = [];
    for (let index = 0; index < 7; index += 1) {
      // Three of them in the same millisecond.
      if (index < 3 || index > 4) await clock.advance(1);
      made.push((await say(userId, `Thread ${index}`)).threadId);
    }
    await using session = sessions.open();
    const seen: ThreadId[] = [];
    let before: string | undefined;
    do {
      const page = await listThreads(session, userId, { limit: 3, before });
      seen.push(...page.items.map(({ id }) => id));
      before = page.before ?? undefined;
    } while (before !== undefined);
    expect(seen).toEqual(made.reverse());
  });

  it('moves a thread to the front when it is used', async () => {
    await using fixture = await createFixture();
    const { clock, sessions, say, finish } = fixture;
    const userId = await fixture.newUser();
    const first = await say(userId, 'First');
    await clock.advance(10);
    await say(userId, 'Second');
    await clock.advance(10);
    await finish(first);
    const { items } = await sessions.with((session) => listThreads(session, userId, { limit: 10 }));
    expect(items.map(({ title }) => title)).toEqual(['First', 'Second']);
  });

  it('says which run answers in a thread now', async () => {
    await using fixture = await createFixture();
    const userId = await fixture.newUser();
    const ended = await fixture.say(userId, 'Ended');
    await fixture.finish(ended);
    const { runId } = await fixture.say(userId, 'Running');
    const { items } = await fixture.sessions.with((session) => listThreads(session, userId, { limit: 10 }));
    expect(new Map(items.map(({ title, activeRunId }) => [title, activeRunId]))).toEqual(
      new Map([
        ['Running', runId],
        ['Ended', null],
      ]),
    );
  });

  it('has no last page of nothing: exactly one page says that it is the last', async () => {
    await using fixture = await createFixture();
    const userId = await fixture.newUser();
    await fixture.say(userId, 'One');
    await fixture.say(userId, 'Two');
    await using session = fixture.sessions.open();
    expect((await listThreads(session, userId, { limit: 2 })).before).toBeNull();
    expect((await listThreads(session, userId, { limit: 1 })).before).not.toBeNull();
  });

  it("[TH-1] has the user's own alone, and a foreign thread is not found", async () => {
    await using fixture = await createFixture();
    const [owner, other] = [await fixture.newUser(), await fixture.newUser()];
    const { threadId } = await fixture.say(owner, 'Mine');
    await using session = fixture.sessions.open();
    await expect(listThreads(session, other, { limit: 10 })).resolves.toEqual({ items: [], before: null });
    await expect(findThread(session, other, threadId)).resolves.toBeUndefined();
    await expect(findThread(session, owner, threadId)).resolves.toMatchObject({ title: 'Mine' });
  });

  it('hides a thread whose deletion has begun, which then takes no message', async () => {
    await using fixture = await createFixture();
    const userId = await fixture.newUser();
    const said = await fixture.say(userId, 'To be deleted');
    await fixture.finish(said);
    await using session = fixture.sessions.open();
    await expect(beginThreadDeletion(session, userId, said.threadId, 5)).resolves.toBe(true);
    await expect(beginThreadDeletion(session, userId, said.threadId, 6)).resolves.toBe(false);
    await expect(listThreads(session, userId, { limit: 10 })).resolves.toMatchObject({ items: [] });
    await expect(findThread(session, userId, said.threadId)).resolves.toBeUndefined();
    await expect(fixture.say(userId, 'More', said.threadId)).rejects.toThrow('threadNotFound');
  });
});

describe('the messages of a thread', () => {
  it('come oldest first, in pages from the newest, question before answer', async () => {
    await using fixture = await createFixture();
    const { sessions, say, finish } = fixture;
    const userId = await fixture.newUser();
    const first = await say(userId, 'Question 0');
    await finish(first);
    for (let index = 1; index < 4; index += 1)
      await finish(await say(userId, `Question ${index}`, first.threadId));
    await using session = sessions.open();
    const pages: string[][] = [];
    let before: string | undefined;
    do {
      const page = await listMessages(session, first.threadId, { limit: 3, before });
      pages.push(page.items.map(({ role }) => role));
      before = page.before ?? undefined;
    } while (before !== undefined);
    expect(pages).toEqual([
      ['assistant', 'user', 'assistant'],
      ['user', 'assistant', 'user'],
      ['user', 'assistant'],
    ]);
  });

  it('carry what became of their run, and its duration', async () => {
    await using fixture = await createFixture();
    const userId = await fixture.newUser();
    const said = await fixture.say(userId, 'How long?');
    await fixture.runs.startRun(said.runId, 1);
    await fixture.clock.advance(1_234);
    await fixture.finish(said);
    const page = await fixture.sessions.with((session) => listMessages(session, said.threadId, { limit: 9 }));
    expect(page.items.at(-1)).toMatchObject({
      id: said.answerId,
      parts: ANSWER,
      run: { agent: 'echo', status: 'completed', durationMs: 1_234 },
    });
  });

  it('are the history of an agent: before a message, the newest of them, nothing of a foreign thread', async () => {
    await using fixture = await createFixture();
    const [userId, other] = [await fixture.newUser(), await fixture.newUser()];
    const first = await fixture.say(userId, 'One');
    await fixture.finish(first);
    const second = await fixture.say(userId, 'Two', first.threadId);
    const threads = createSqlThreadStore({ sessions: fixture.sessions });
    const before = second.messageId;
    const texts = async (user: UserId, limit: number) =>
      (await threads.history(user, first.threadId, { before, limit })).map(({ text }) => text);
    await expect(texts(userId, 10)).resolves.toEqual(['One', 'An answer.']);
    await expect(texts(userId, 1)).resolves.toEqual(['An answer.']);
    await expect(texts(other, 10)).resolves.toEqual([]);
  });

  it('know the open run, and none when it has ended', async () => {
    await using fixture = await createFixture();
    const userId = await fixture.newUser();
    const said = await fixture.say(userId, 'Hello');
    await using session = fixture.sessions.open();
    await expect(openRunsOf(session, said.threadId)).resolves.toMatchObject([{ runId: said.runId }]);
    await fixture.finish(said);
    await expect(openRunsOf(session, said.threadId)).resolves.toEqual([]);
  });
});

describe('large values', () => {
  it('are found under their address by their owner, replaced by a repeat, and go with their run', async () => {
    await using fixture = await createFixture();
    const { db, sessions, clock, ids } = fixture;
    const userId = await fixture.newUser();
    const { threadId, runId } = await fixture.say(userId, 'Write 1 MB');
    const context = createRequestContext({ userId, requestId: ids.requestId() }).forRun({ threadId, runId });
    const values = createLargeValues({ sessions, clock });
    const toolCallId = ids.toolCallId();

    await values.storeResult(context, 'first');
    await expect(values.storeResult(context, 'ü'.repeat(500_000))).resolves.toBe(`/api/runs/${runId}/result`);
    await expect(values.storeToolOutput(context, toolCallId, { rows: [1, 2] })).resolves.toBe(
      `/api/runs/${runId}/tools/${toolCallId}/output`,
    );

    await using session = sessions.open();
    const find = async (who: UserId, call: string): Promise<unknown> => {
      const value = await findLargeValue(session, { userId: who, runId, toolCallId: call });
      return value === undefined ? undefined : JSON.parse(value);
    };
    await expect(find(userId, '')).resolves.toBe('ü'.repeat(500_000));
    await expect(find(userId, toolCallId)).resolves.toEqual({ rows: [1, 2] });
    await expect(find(await fixture.newUser(), '')).resolves.toBeUndefined();
    await expect(find(userId, 'another')).resolves.toBeUndefined();

    await db.deleteFrom('runs').where('id', '=', runId).execute();
    await expect(find(userId, '')).resolves.toBeUndefined();
  });
});
