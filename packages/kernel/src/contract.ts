/** Cancels one timer. Cancelling a timer that has fired, or twice, does nothing. */
export interface TimerHandle {
  cancel(): void;
}

/**
 * The only way Runwire learns the time or waits. A test, or a simulator, passes its own and owns every
 * instant and every turn.
 */
export interface Clock {
  /** Wall clock, epoch milliseconds. For what people and other machines see; it can jump. */
  nowMs(): number;
  /** Monotonic milliseconds from an arbitrary origin. For deadlines, intervals and durations. */
  monotonicMs(): number;
  /**
   * Calls `run` once, `delayMs` milliseconds from now (at least one turn later). Does not keep the process
   * alive by itself.
   */
  setTimer(delayMs: number, run: () => void): TimerHandle;
  /**
   * Calls `run` once at the end of the current turn, after the I/O that is being handled: the hook that
   * batches what one turn produces. Calls made in one turn run in their order.
   */
  nextTurn(run: () => void): void;
}

/** Structured fields of a log line. Never a secret; ids are welcome. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The logger port. A pino logger fits as it is. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger that adds `fields` to each line. */
  child(fields: LogFields): Logger;
}

/**
 * What owns timers, sockets, files or background work. Every method is idempotent: a repeated call joins
 * the first.
 */
export interface Lifecycle extends AsyncDisposable {
  /** Settles when everything owned is released; never rejects. */
  readonly closed: Promise<void>;
  /** Takes nothing new, finishes what is under way within `timeoutMs`, then closes. */
  drain(options?: { readonly timeoutMs?: number }): Promise<void>;
  /** Stops now. Failures of single clean-up steps are logged, not thrown. */
  close(): Promise<void>;
}

/** A promise with its settling functions beside it. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  /** False once `resolve` or `reject` was called. */
  readonly pending: boolean;
  resolve(value: T): void;
  reject(reason: unknown): void;
}
