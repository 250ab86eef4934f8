/** What may accompany an error's code and message. */
export interface CodedErrorOptions {
  /** The failure underneath, kept for logs; never shown to a user. */
  readonly cause?: unknown;
  /** Facts that are safe to log and to send to the caller. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * The base of each package's one error class. Callers match on `code`, never on the message or on
 * `instanceof`: two copies of a package in one process are normal.
 */
export class CodedError<Code extends string = string> extends Error {
  override readonly name: string = 'CodedError';
  readonly code: Code;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: Code, message: string, options: CodedErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details;
  }
}

/** True for an error that carries `code` (any code when omitted), whichever copy of the kernel made it. */
export function isCodedError<Code extends string = string>(
  value: unknown,
  code?: Code,
): value is CodedError<Code> {
  if (!(value instanceof Error) || !('code' in value) || typeof value.code !== 'string') return false;
  return code === undefined || value.code === code;
}
