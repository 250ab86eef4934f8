/** What a field of a request got wrong. */
export interface FieldIssue {
  readonly path: string;
  readonly message: string;
}

/** What is known of a failed request. */
export interface ApiProblem {
  /** The HTTP status; 0 when the server was not reached. */
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly retryAfterMs?: number;
  readonly issues?: readonly FieldIssue[];
}

/** The one error of HTTP calls. Match on `code`; `NETWORK` when the server was not reached. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly retryAfterMs: number | undefined;
  readonly issues: readonly FieldIssue[];

  constructor({ status, code, message, retryAfterMs, issues }: ApiProblem, cause?: unknown) {
    super(message, { cause });
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    this.issues = issues ?? [];
  }
}

/** The error of a call that needs somebody signed in. */
export function signedOut(message = 'You are signed out.'): ApiError {
  return new ApiError({ status: 401, code: 'UNAUTHENTICATED', message });
}

/** What to tell the user of any failure. */
export function describeFailure(cause: unknown): string {
  if (cause instanceof ApiError) return cause.message;
  return 'Something went wrong. Please try again.';
}
