import type {
  AcceptMessage,
  AcceptOutcome,
  CommandKey,
  FinishRun,
  OutboxEntry,
  RecalledCommand,
  RetriedRun,
  RetryRun,
  RunRecord,
  RunStore,
} from '@runwire/agent-handler';
import type { Producer } from '@runwire/event-log';
import type { RunId, UserId } from '@runwire/id-generation';
import type { Clock } from '@runwire/kernel';
import type { CommandReply, EventDraft } from '@runwire/protocol';
import { isUniqueViolation } from './errors.js';
import { runRecord } from './rows.js';
import { insertOutbox, insertUserMessage, openRunOf, ownsThread, reopenRun } from './run-rows.js';
import type { DatabaseSessions, Queries } from './session.js';

/** What the store is built from. */
export interface RunStoreDeps {
  readonly sessions: DatabaseSessions;
  readonly clock: Clock;
  /** How long a command's answer is remembered. */
  readonly commandRetentionMs: number;
}

/** Runs, commands and the outbox in SQL. Each method is one transaction of its own session. */
export function createSqlRunStore(deps: RunStoreDeps): RunStore {
  return new SqlRunStore(deps);
}

const OPEN = ['accepted', 'running'] as const;

class SqlRunStore implements RunStore {
  readonly #sessions: DatabaseSessions;
  readonly #clock: Clock;
  readonly #commandRetentionMs: number;

  constructor({ sessions, clock, commandRetentionMs }: RunStoreDeps) {
    this.#sessions = sessions;
    this.#clock = clock;
    this.#commandRetentionMs = commandRetentionMs;
  }

  async acceptMessage(request: AcceptMessage): Promise<AcceptOutcome> {
    try {
      return await this.#sessions.with((session) => session.transaction((tx) => this.#accept(tx, request)));
    } catch (error) {
      // Two of the same at once, on two nodes: the second finds what the first committed.
      if (!isUniqueViolation(error)) throw error;
      return await this.#sessions.with((session) => session.transaction((tx) => this.#accept(tx, request)));
    }
  }

  async #accept(tx: Queries, request: AcceptMessage): Promise<AcceptOutcome> {
    if (request.command !== undefined) {
      const known = await this.#recall(tx, request.userId, request.command);
      if (known.kind === 'done') return { kind: 'repeated', reply: known.reply };
      if (known.kind === 'reused') return { kind: 'reused' };
    }
    const { threadId } = request.thread;
    if (request.thread.kind === 'existing') {
      if (!(await ownsThread(tx, request.userId, threadId))) return { kind: 'threadNotFound' };
      const busy = await openRunOf(tx, threadId);
      if (busy !== undefined) return { kind: 'threadBusy', runId: busy };
    }
    const drafts = await insertUserMessage(tx, request);
    const result = { runId: request.runId, threadId, messageId: request.messageId };
    const reply: CommandReply<'user_message'> = { accepted: result };
    if (request.command !== undefined) await this.#claim(tx, request.userId, request.command, reply);
    const outbox: OutboxEntry = { userId: request.userId, producer: request.producer, drafts };
    await insertOutbox(tx, outbox, request.nowMs);
    return { kind: 'accepted', reply, outbox };
  }

  recallCommand(userId: UserId, command: CommandKey): Promise<RecalledCommand> {
    return this.#sessions.with((session) => this.#recall(session.db, userId, command));
  }

  async #recall(db: Queries, userId: UserId, command: CommandKey): Promise<RecalledCommand> {
    const row = await db
      .selectFrom('commands')
      .select(['body_hash', 'reply'])
      .where('user_id', '=', userId)
      .where('command_id', '=', command.id)
      .where('created_at_ms', '>', this.#clock.nowMs() - this.#commandRetentionMs)
      .executeTakeFirst();
    if (row === undefined) return { kind: 'unknown' };
    if (row.body_hash !== command.bodyHash) return { kind: 'reused' };
    return { kind: 'done', reply: JSON.parse(row.reply) as CommandReply };
  }

  async rememberCommand(userId: UserId, command: CommandKey, reply: CommandReply): Promise<CommandReply> {
    return await this.#sessions.with((session) =>
      session.transaction(async (tx) => {
        const known = await this.#recall(tx, userId, command);
        if (known.kind === 'done') return known.reply;
        if (known.kind === 'unknown') await this.#claim(tx, userId, command, reply);
        return reply;
      }),
    );
  }

  async #claim(tx: Queries, userId: UserId, command: CommandKey, reply: CommandReply): Promise<void> {
    const nowMs = this.#clock.nowMs();
    // The retention is kept as commands come: each one sweeps what is over.
    await tx
      .deleteFrom('commands')
      .where('created_at_ms', '<=', nowMs - this.#commandRetentionMs)
      .execute();
    await tx
      .insertInto('commands')
      .values({
        user_id: userId,
        command_id: command.id,
        body_hash: command.bodyHash,
        reply: JSON.stringify(reply),
        created_at_ms: nowMs,
      })
      .execute();
  }

  async startRun(runId: RunId, attempt: number): Promise<boolean> {
    return await this.#sessions.with(async ({ db }) => {
      const result = await db
        .updateTable('runs')
        .set({ status: 'running', started_at_ms: this.#clock.nowMs() })
        .where('id', '=', runId)
        .where('attempt', '=', attempt)
        .where('status', '=', 'accepted')
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    });
  }

  retryRun(retry: RetryRun): Promise<RetriedRun | undefined> {
    return this.#sessions.with((session) => session.transaction((tx) => reopenRun(tx, retry)));
  }

  finishRun(finish: FinishRun): Promise<boolean> {
    return this.#sessions.with((session) => session.transaction((tx) => this.#finish(tx, finish)));
  }

  async #finish(tx: Queries, finish: FinishRun): Promise<boolean> {
    const { error } = finish.terminal.draft.data;
    const ended = await tx
      .updateTable('runs')
      .set({
        status: finish.status,
        ended_at_ms: finish.nowMs,
        error: error === undefined ? null : JSON.stringify(error),
      })
      .where('id', '=', finish.runId)
      .where('user_id', '=', finish.userId)
      .where('attempt', '=', finish.attempt)
      .where('status', 'in', OPEN)
      .returning(['thread_id', 'answer_id'])
      .executeTakeFirst();
    if (ended === undefined) return false;
    await tx
      .insertInto('messages')
      .values({
        id: ended.answer_id,
        thread_id: ended.thread_id,
        user_id: finish.userId,
        run_id: finish.runId,
        role: 'assistant',
        parts: JSON.stringify(finish.parts),
        metadata: null,
        created_at_ms: finish.nowMs,
      })
      .execute();
    await tx
      .updateTable('threads')
      .set({ updated_at_ms: finish.nowMs })
      .where('id', '=', ended.thread_id)
      .execute();
    const { begins, terminal } = finish;
    const drafts = begins === undefined ? [terminal.draft] : [begins, terminal.draft];
    await insertOutbox(tx, { userId: finish.userId, producer: terminal.producer, drafts }, finish.nowMs);
    return true;
  }

  async markAppended(userId: UserId, producer: Producer): Promise<void> {
    await this.#sessions.with(({ db }) =>
      db
        .deleteFrom('outbox')
        .where('user_id', '=', userId)
        .where('producer_id', '=', producer.id)
        .where('attempt', '=', producer.attempt)
        .where('n', '=', producer.n)
        .execute(),
    );
  }

  findRun(userId: UserId, runId: RunId): Promise<RunRecord | undefined> {
    return this.#sessions.with(async ({ db }) => {
      const row = await db
        .selectFrom('runs')
        .selectAll()
        .where('id', '=', runId)
        .where('user_id', '=', userId)
        .executeTakeFirst();
      return row === undefined ? undefined : runRecord(row);
    });
  }

  pendingOutbox(): Promise<readonly OutboxEntry[]> {
    return this.#sessions.with(async ({ db }) => {
      const rows = await db.selectFrom('outbox').selectAll().orderBy('position').execute();
      return rows.map((row) => ({
        userId: row.user_id as UserId,
        producer: { id: row.producer_id, attempt: row.attempt, n: row.n },
        drafts: JSON.parse(row.drafts) as readonly EventDraft[],
      }));
    });
  }

  openRuns(): Promise<readonly RunRecord[]> {
    return this.#sessions.with(async ({ db }) => {
      const rows = await db.selectFrom('runs').selectAll().where('status', 'in', OPEN).execute();
      return rows.map(runRecord);
    });
  }
}
