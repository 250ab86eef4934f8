import type { TerminalDraft } from '@runwire/bridge-factory';
import type { Producer } from '@runwire/event-log';
import type { MessageId, RunId, ThreadId, UserId } from '@runwire/id-generation';
import type {
  AnswerPart,
  CommandReply,
  EventDraft,
  MessagePart,
  RunEndStatus,
  RunStatus,
} from '@runwire/protocol';
import type { HistoryMessage } from './definitions.js';

/** Threads and their messages. Everything is scoped to the user: foreign is the same as missing. */
export interface ThreadStore {
  /** The thread's messages before `before` (all when omitted), oldest first, the newest `limit` of them. */
  history(
    userId: UserId,
    threadId: ThreadId,
    options: { readonly before?: MessageId; readonly limit: number },
  ): Promise<readonly HistoryMessage[]>;
}

/** Runs, commands and the outbox. Each method is one transaction. */
export interface RunStore {
  /**
   * Accepts a message: claims the command, creates the thread when it is new, and writes the message, the
   * run (`accepted`), the answer to the command and the outbox entry, or nothing at all.
   */
  acceptMessage(request: AcceptMessage): Promise<AcceptOutcome>;
  /** The remembered reply to a command, within its retention. */
  recallCommand(userId: UserId, command: CommandKey): Promise<RecalledCommand>;
  /** Remembers a reply to a command that did no other work. The first reply wins and is returned. */
  rememberCommand(userId: UserId, command: CommandKey, reply: CommandReply): Promise<CommandReply>;
  /** `accepted → running`, for this attempt. False when the run is not `accepted`. */
  startRun(runId: RunId, attempt: number): Promise<boolean>;
  /**
   * Opens the next attempt of a run whose process is gone: `running` in `attempt` → `accepted` in the next one,
   * with `answerId` for its answer. An attempt that is `accepted` has shown nothing: it stays as it is, with the
   * answer it has. Settles to the run as it is to be started now; undefined, and nothing written, when the run is
   * not open, is of another attempt, or its thread is being deleted.
   */
  retryRun(retry: RetryRun): Promise<RetriedRun | undefined>;
  /**
   * Ends a run on condition that it is open and of this attempt: writes its status, the answer and the
   * terminal draft. False, and nothing written, when the condition does not hold.
   */
  finishRun(finish: FinishRun): Promise<boolean>;
  /** The draft is in the log: its outbox entry is done. */
  markAppended(userId: UserId, producer: Producer): Promise<void>;
  /** One of the user's runs. */
  findRun(userId: UserId, runId: RunId): Promise<RunRecord | undefined>;
  /** Drafts committed and not known to be in the log, oldest first. */
  pendingOutbox(): Promise<readonly OutboxEntry[]>;
  /** Runs that are `accepted` or `running`, over all users. */
  openRuns(): Promise<readonly RunRecord[]>;
}

/** A command's id with the hash of its body. */
export interface CommandKey {
  readonly id: string;
  readonly bodyHash: string;
}

/** What is known of a command. */
export type RecalledCommand =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'done'; readonly reply: CommandReply }
  /** The id was used with another body. */
  | { readonly kind: 'reused' };

/** One message to accept. The ids are made by the caller and are used only if it is accepted. */
export interface AcceptMessage {
  readonly userId: UserId;
  readonly command: CommandKey | undefined;
  /** The producer under which the drafts are appended. */
  readonly producer: Producer;
  /** The thread asked for, or the id for the new one. */
  readonly thread: { readonly kind: 'existing' | 'new'; readonly threadId: ThreadId };
  readonly title: string;
  readonly messageId: MessageId;
  readonly runId: RunId;
  readonly answerId: MessageId;
  readonly agent: string;
  readonly parts: readonly MessagePart[];
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  readonly nowMs: number;
}

/** What came of a message. */
export type AcceptOutcome =
  | { readonly kind: 'accepted'; readonly reply: CommandReply<'user_message'>; readonly outbox: OutboxEntry }
  | { readonly kind: 'repeated'; readonly reply: CommandReply }
  | { readonly kind: 'reused' }
  | { readonly kind: 'threadNotFound' }
  /** A run of the thread is open. */
  | { readonly kind: 'threadBusy'; readonly runId: RunId };

/** Drafts that SQL has decided and the log shall have, under their producer key. */
export interface OutboxEntry {
  readonly userId: UserId;
  readonly producer: Producer;
  readonly drafts: readonly EventDraft[];
}

/** The attempt of a run that died. */
export interface RetryRun {
  readonly userId: UserId;
  readonly runId: RunId;
  readonly attempt: number;
  /** For the answer of the next attempt, if there is to be one. */
  readonly answerId: MessageId;
}

/** A run to be started again, with the message that asked for it. */
export interface RetriedRun {
  readonly run: RunRecord;
  readonly parts: readonly MessagePart[];
}

/** The end of a run. */
export interface FinishRun {
  readonly userId: UserId;
  readonly runId: RunId;
  readonly attempt: number;
  readonly status: RunEndStatus;
  readonly parts: readonly AnswerPart[];
  readonly terminal: TerminalDraft;
  /**
   * The start of the attempt, when the log does not have it: clients that show an earlier attempt drop that by
   * it. Kept in one entry with the terminal draft, before it.
   */
  readonly begins?: EventDraft<'agent_started'>;
  readonly nowMs: number;
}

/** A run as it is stored. */
export interface RunRecord {
  readonly userId: UserId;
  readonly runId: RunId;
  readonly threadId: ThreadId;
  readonly agent: string;
  /** The message that asked for it. */
  readonly messageId: MessageId;
  /** The message that answers it. */
  readonly answerId: MessageId;
  /** 1, 2, 3 …; each has an answer of its own. */
  readonly attempt: number;
  readonly status: RunStatus;
  readonly acceptedAtMs: number;
  /** When the attempt started. */
  readonly startedAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
}
