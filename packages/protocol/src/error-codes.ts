import { deepFreeze } from './deep-freeze.js';

/** What is fixed about an error code. */
export interface ErrorCodeInfo {
  /** Whether the same command, sent again later, may succeed. */
  readonly retryable: boolean;
  /** The default message, fit for a user. */
  readonly message: string;
}

/**
 * Every error code (§5). A client matches on the code and, for a code it does not know, goes by `retryable`
 * of the message it came in.
 */
export const ERROR_CODES = /* @__PURE__ */ deepFreeze({
  INVALID_JSON: { retryable: false, message: 'The message is not valid JSON.' },
  INVALID_MESSAGE: { retryable: false, message: 'The message does not have the expected shape.' },
  UNKNOWN_MESSAGE_TYPE: { retryable: false, message: 'The message type is not known.' },
  EMPTY_MESSAGE: { retryable: false, message: 'The message is empty.' },
  MESSAGE_TOO_LARGE: { retryable: false, message: 'The message is too large.' },
  RATE_LIMITED: { retryable: true, message: 'Too many requests. Please wait a moment.' },
  UNAUTHENTICATED: { retryable: false, message: 'Please sign in.' },
  TOKEN_EXPIRED: { retryable: false, message: 'The access token has expired.' },
  TOKEN_INVALID: { retryable: false, message: 'The access token is not valid.' },
  FORBIDDEN: { retryable: false, message: 'This is not allowed.' },
  NOT_READY: { retryable: true, message: 'The server is not ready. Please try again.' },
  THREAD_NOT_FOUND: { retryable: false, message: 'The thread does not exist.' },
  RUN_NOT_FOUND: { retryable: false, message: 'The run does not exist.' },
  AGENT_NOT_FOUND: { retryable: false, message: 'The agent does not exist.' },
  THREAD_BUSY: { retryable: true, message: 'The thread is busy with another message.' },
  RUN_LIMIT: { retryable: true, message: 'Too many runs at once. Please wait for one to end.' },
  RUN_SUPERSEDED: { retryable: false, message: 'A newer message took the place of this run.' },
  APPROVAL_NOT_PENDING: { retryable: false, message: 'No approval is pending for this tool call.' },
  AGENT_FAILED: { retryable: false, message: 'The agent failed.' },
  AGENT_TIMEOUT: { retryable: false, message: 'The agent took too long.' },
  TOOL_FAILED: { retryable: false, message: 'The tool failed.' },
  TOOL_TIMEOUT: { retryable: false, message: 'The tool took too long.' },
  RUN_INTERRUPTED: { retryable: false, message: 'The run was interrupted.' },
  COMMAND_PENDING: { retryable: true, message: 'The command is still being handled.' },
  COMMAND_ID_REUSED: { retryable: false, message: 'The command id was used for another command.' },
  EMAIL_TAKEN: { retryable: false, message: 'The e-mail address is taken.' },
  INVALID_CREDENTIALS: { retryable: false, message: 'The e-mail address or the password is wrong.' },
  TOO_MANY_ATTEMPTS: { retryable: true, message: 'Too many attempts. Please wait a moment.' },
  REFRESH_SUPERSEDED: { retryable: false, message: 'Another refresh of this session was first.' },
  NOT_FOUND: { retryable: false, message: 'Not found.' },
  INTERNAL: { retryable: true, message: 'Something went wrong on our side.' },
} as const satisfies Record<string, ErrorCodeInfo>);

/** A code that the server may send, on the socket or over HTTP (§5). */
export type ErrorCode = keyof typeof ERROR_CODES;
