import { ClientError } from '@runwire/client';

/** Why a message was not sent, in words fit for the user. */
export interface SendProblem {
  readonly code: string;
  readonly message: string;
  /** What was not sent; absent when something else failed. */
  readonly text?: string;
  /** The run that keeps the thread busy. */
  readonly busyRunId?: string;
  /** When sending again may help; local time. */
  readonly retryAtMs?: number;
}

const WORDS: Readonly<Record<string, string>> = {
  THREAD_BUSY: 'An answer is still being written in this chat.',
  RUN_LIMIT: 'Too many answers are being written at once. Wait for one to end, or stop it.',
  RATE_LIMITED: 'You are sending too fast.',
  MESSAGE_TOO_LARGE: 'This message is too long to send. Shorten it or split it in two.',
  EMPTY_MESSAGE: 'There is nothing to send.',
  CLIENT_STOPPED: 'You are disconnected. Reconnect at the top, then send again.',
  CLIENT_CLOSED: 'You are disconnected. Reload the page, then send again.',
  COMMAND_UNANSWERED: 'The server did not answer. It may have received it: look before you send again.',
  THREAD_NOT_FOUND: 'This chat does not exist any more.',
  TOO_MANY_PENDING: 'Too many messages wait to be sent already.',
};

/** True when the user took the message back. */
export function isCancelled(cause: unknown): boolean {
  return cause instanceof ClientError && cause.code === 'COMMAND_CANCELLED';
}

/** What a rejected command means. */
export function problemOf(cause: unknown, text?: string): SendProblem {
  const sent = text === undefined ? {} : { text };
  if (!(cause instanceof ClientError)) {
    return { code: 'INTERNAL', message: 'Something went wrong. Please try again.', ...sent };
  }
  const retryAfterMs = Number(cause.details?.['retryAfterMs']);
  const runId = cause.code === 'THREAD_BUSY' ? cause.details?.['runId'] : undefined;
  return {
    code: cause.code,
    message: WORDS[cause.code] ?? cause.message,
    ...sent,
    ...(typeof runId === 'string' ? { busyRunId: runId } : {}),
    ...(Number.isFinite(retryAfterMs) ? { retryAtMs: Date.now() + retryAfterMs } : {}),
  };
}
