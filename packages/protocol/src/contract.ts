import type { ErrorCode } from './error-codes.js';

/** A position on a user's stream: the last event a client has applied (protocol §1). */
export interface Cursor {
  /** The incarnation of the log that `seq` counts in. */
  readonly epoch: string;
  /** 0 stands before the first event. */
  readonly seq: number;
  /** Id of the event at `seq`; it detects a forked log. A cursor at 0 has none. */
  readonly id?: string;
}

/** Where a user's stream stands. Without events: `first` 1, `head` 0, `headId` null. */
export interface StreamInfo {
  readonly epoch: string;
  /** The lowest `seq` that can be read, `head + 1` if there is none. */
  readonly first: number;
  /** The last `seq` of the stream. */
  readonly head: number;
  /** Id of the event at `head`. */
  readonly headId: string | null;
}

/**
 * Why a cursor cannot be honoured: another log (`epoch`), events no longer kept (`trimmed`), a cursor beyond
 * the head (`ahead`), another event at its `seq` (`fork`).
 */
export type ResetReason = 'epoch' | 'trimmed' | 'ahead' | 'fork';

/** A cursor as a client sent it, nothing checked. What does not parse leads to `reset: epoch` (protocol §5). */
export interface ResumeRequest {
  readonly epoch?: unknown;
  readonly seq?: unknown;
  readonly id?: unknown;
}

/** What a server made of a resume. */
export interface ResumeInfo {
  readonly mode: 'live' | 'replay' | 'reset';
  /** The first `seq` that will be sent: `head + 1` when live or reset. */
  readonly from: number;
  /** Present when `mode` is `reset`. */
  readonly reason?: ResetReason;
}

/** What went wrong, in words fit for the user. Never a cause or a stack. */
export interface ErrorBody {
  /** Match on this. A newer server may send codes that are not in the list. */
  readonly code: ErrorCode;
  readonly message: string;
  /** Whether the same message may succeed later. */
  readonly retryable: boolean;
  /** How long to wait before trying again, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Why a run or a tool call failed; `code` is the agent's or tool's own when it has one. */
export interface EventError {
  readonly code: string;
  readonly message: string;
}

/** Who wrote a message. */
export type MessageRole = 'user' | 'assistant';

/** A piece of a message's content. A later version may add kinds. */
export interface MessagePart {
  readonly type: 'text';
  readonly text: string;
}

/** Content as a client may send it: plain text, or parts. */
export type MessageContent = string | readonly MessagePart[];

/** How a tool call ended. */
export type ToolStatus = 'success' | 'error' | 'timeout' | 'denied' | 'cancelled';

/** How a run ended. */
export type RunEndStatus = 'completed' | 'failed' | 'cancelled' | 'timed_out' | 'interrupted';

/** Where a run stands. */
export type RunStatus = 'accepted' | 'running' | RunEndStatus;

/** What a second message does to a thread whose run is open. */
export type BusyPolicy = 'reject' | 'enqueue' | 'interrupt';

/** Tokens of a language model that a run used. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
}
