import type { Producer } from '@runwire/event-log';
import type { RunId, ThreadId, UserId } from '@runwire/id-generation';
import type { Clock } from '@runwire/kernel';
import { answerText, type CommandReply, type EventDraft, LIMITS, type MessagePart } from '@runwire/protocol';
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
  ThreadStore,
} from '../contract.js';
import type { HistoryMessage } from '../definitions.js';

/** The stores of one imaginary database. */
export interface MemoryStores {
  readonly threads: ThreadStore;
  readonly runs: RunStore;
}

/** Creates stores in memory that behave as the contract says; two of them share nothing. */
export function createMemoryStores(deps: { readonly clock: Pick<Clock, 'nowMs'> }): MemoryStores {
  const tables = new Tables();
  return {
    threads: new MemoryThreadStore(tables),
    runs: new MemoryRunStore(tables, deps.clock),
  };
}

interface StoredCommand {
  readonly bodyHash: string;
  readonly reply: CommandReply;
  readonly atMs: number;
}

class Tables {
  readonly threads = new Map<ThreadId, { readonly userId: UserId; readonly messages: HistoryMessage[] }>();
  readonly runs = new Map<RunId, RunRecord>();
  /** What the message of each run says. */
  readonly asked = new Map<RunId, readonly MessagePart[]>();
  readonly commands = new Map<string, StoredCommand>();
  outbox: OutboxEntry[] = [];
}

class MemoryThreadStore implements ThreadStore {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  async history(
    userId: UserId,
    threadId: ThreadId,
    options: Parameters<ThreadStore['history']>[2],
  ): Promise<readonly HistoryMessage[]> {
    const thread = this.#tables.threads.get(threadId);
    if (thread?.userId !== userId) return [];
    const { before, limit } = options;
    const end =
      before === undefined ? -1 : thread.messages.findIndex(({ messageId }) => messageId === before);
    return thread.messages.slice(0, end === -1 ? undefined : end).slice(-limit);
  }
}

class MemoryRunStore implements RunStore {
  readonly #tables: Tables;
  readonly #clock: Pick<Clock, 'nowMs'>;

  constructor(tables: Tables, clock: Pick<Clock, 'nowMs'>) {
    this.#tables = tables;
    this.#clock = clock;
  }

  async acceptMessage(request: AcceptMessage): Promise<AcceptOutcome> {
    const { userId, command, thread, runId, messageId, producer } = request;
    const known = this.#recall(userId, command);
    if (known.kind === 'done') return { kind: 'repeated', reply: known.reply };
    if (known.kind === 'reused') return { kind: 'reused' };
    if (thread.kind === 'existing') {
      if (this.#tables.threads.get(thread.threadId)?.userId !== userId) return { kind: 'threadNotFound' };
      const busy = this.#open().find((run) => run.threadId === thread.threadId);
      if (busy !== undefined) return { kind: 'threadBusy', runId: busy.runId };
    }
    const reply = { accepted: { runId, threadId: thread.threadId, messageId } };
    const outbox = { userId, producer, drafts: acceptedDrafts(request) };
    this.#insert(request);
    if (command !== undefined) this.#remember(userId, command, reply);
    this.#tables.outbox.push(outbox);
    return { kind: 'accepted', reply, outbox };
  }

  async recallCommand(userId: UserId, command: CommandKey): Promise<RecalledCommand> {
    return this.#recall(userId, command);
  }

  async rememberCommand(userId: UserId, command: CommandKey, reply: CommandReply): Promise<CommandReply> {
    const known = this.#recall(userId, command);
    if (known.kind === 'done') return known.reply;
    if (known.kind === 'unknown') this.#remember(userId, command, reply);
    return reply;
  }

  async startRun(runId: RunId, attempt: number): Promise<boolean> {
    const run = this.#tables.runs.get(runId);
    if (run?.status !== 'accepted' || run.attempt !== attempt) return false;
    this.#tables.runs.set(runId, { ...run, status: 'running', startedAtMs: this.#clock.nowMs() });
    return true;
  }

  async retryRun({ userId, runId, attempt, answerId }: RetryRun): Promise<RetriedRun | undefined> {
    const run = this.#open().find((open) => open.runId === runId);
    const parts = this.#tables.asked.get(runId);
    if (run?.userId !== userId || run.attempt !== attempt || parts === undefined) return undefined;
    if (run.status === 'accepted') return { run, parts };
    const next: RunRecord = {
      ...run,
      attempt: attempt + 1,
      answerId,
      status: 'accepted',
      startedAtMs: undefined,
    };
    this.#tables.runs.set(runId, next);
    return { run: next, parts };
  }

  async finishRun(finish: FinishRun): Promise<boolean> {
    const { userId, runId, attempt, status, parts, terminal, begins, nowMs } = finish;
    const run = this.#open().find((open) => open.runId === runId);
    if (run === undefined || run.userId !== userId || run.attempt !== attempt) return false;
    this.#tables.runs.set(runId, { ...run, status, endedAtMs: nowMs });
    const answer = { messageId: run.answerId, role: 'assistant' as const, text: answerText(parts) };
    this.#tables.threads.get(run.threadId)?.messages.push(answer);
    const drafts = begins === undefined ? [terminal.draft] : [begins, terminal.draft];
    this.#tables.outbox.push({ userId, producer: terminal.producer, drafts });
    return true;
  }

  async markAppended(userId: UserId, producer: Producer): Promise<void> {
    this.#tables.outbox = this.#tables.outbox.filter(
      (entry) => entry.userId !== userId || !isSameProducer(entry.producer, producer),
    );
  }

  async findRun(userId: UserId, runId: RunId): Promise<RunRecord | undefined> {
    const run = this.#tables.runs.get(runId);
    return run?.userId === userId ? run : undefined;
  }

  async pendingOutbox(): Promise<readonly OutboxEntry[]> {
    return [...this.#tables.outbox];
  }

  async openRuns(): Promise<readonly RunRecord[]> {
    return this.#open();
  }

  #open(): readonly RunRecord[] {
    return [...this.#tables.runs.values()].filter(({ endedAtMs }) => endedAtMs === undefined);
  }

  #recall(userId: UserId, command: CommandKey | undefined): RecalledCommand {
    const known = command === undefined ? undefined : this.#tables.commands.get(`${userId} ${command.id}`);
    const oldestMs = this.#clock.nowMs() - LIMITS.commandRetentionMs;
    if (known === undefined || known.atMs <= oldestMs) return { kind: 'unknown' };
    if (known.bodyHash !== command?.bodyHash) return { kind: 'reused' };
    return { kind: 'done', reply: known.reply };
  }

  #remember(userId: UserId, command: CommandKey, reply: CommandReply): void {
    const { id, bodyHash } = command;
    this.#tables.commands.set(`${userId} ${id}`, { bodyHash, reply, atMs: this.#clock.nowMs() });
  }

  #insert(request: AcceptMessage): void {
    const { userId, thread, messageId, runId, answerId, agent, parts, nowMs } = request;
    const { threadId } = thread;
    const known = this.#tables.threads.get(threadId) ?? { userId, messages: [] };
    known.messages.push({ messageId, role: 'user', text: textOf(parts) });
    this.#tables.threads.set(threadId, known);
    this.#tables.asked.set(runId, parts);
    this.#tables.runs.set(runId, {
      userId,
      runId,
      threadId,
      agent,
      messageId,
      answerId,
      attempt: 1,
      status: 'accepted',
      acceptedAtMs: nowMs,
      startedAtMs: undefined,
      endedAtMs: undefined,
    });
  }
}

/** The events that a store drafts for an accepted message: the thread when it is new, then the message. */
function acceptedDrafts(request: AcceptMessage): readonly EventDraft[] {
  const { thread, runId, messageId, parts, command, title } = request;
  const { threadId } = thread;
  const commandId = command === undefined ? {} : { commandId: command.id };
  const added: EventDraft = {
    type: 'message_added',
    threadId,
    runId,
    data: { messageId, role: 'user', parts, ...commandId },
  };
  return thread.kind === 'new' ? [{ type: 'thread_created', threadId, data: { title } }, added] : [added];
}

function textOf(parts: readonly MessagePart[]): string {
  return parts.map(({ text }) => text).join('\n');
}

function isSameProducer(a: Producer, b: Producer): boolean {
  return a.id === b.id && a.attempt === b.attempt && a.n === b.n;
}
