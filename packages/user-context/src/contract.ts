import type { ConnectionId, RequestId, UserId } from '@runwire/id-generation';
import type { Logger } from '@runwire/kernel';
import type { UserExecutionContext } from './user-execution-context.js';

/** A value that JSON can carry, never to be changed. */
export type MetadataValue =
  | string
  | number
  | boolean
  | null
  | readonly MetadataValue[]
  | { readonly [key: string]: MetadataValue };

/** What an application attaches to a context: JSON, copied and deeply frozen, at most 16 levels and 1,000 values. */
export type Metadata = Readonly<Record<string, MetadataValue>>;

/** Which run a request starts or serves. */
export interface RunIdentity {
  /** An own thread id, or a UUID, which is mapped to one. */
  readonly threadId: string;
  /** An own run id of that thread. */
  readonly runId: string;
}

/** The request that a child serves. */
export interface ChildRequest {
  /** Another request than the parent's. */
  readonly requestId: string;
}

/** What the identity of a connection, a command or an HTTP call is made of. Texts are validated, not trusted. */
export interface RequestContextFields {
  /** An own user id, or a UUID, which is mapped to one. Already authenticated: a context proves nothing. */
  readonly userId: string;
  readonly requestId: string;
  /** The sign-in session, in whatever form its issuer gives it; at most 128 characters. */
  readonly sessionId?: string | undefined;
  readonly connectionId?: string | undefined;
  /** JSON. Reserved keys and another user's id in it are refused. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** What the identity of a run is made of. */
export interface ExecutionContextFields extends RequestContextFields, RunIdentity {
  /** Epoch milliseconds. */
  readonly createdAtMs?: number | undefined;
}

/**
 * Who asks: the identity of a connection, of one command, or of one HTTP call. Deeply frozen; its methods
 * make new contexts and change nothing.
 */
export interface RequestContext {
  readonly userId: UserId;
  readonly requestId: RequestId;
  readonly sessionId?: string;
  readonly connectionId?: ConnectionId;
  readonly metadata?: Metadata;
  /**
   * The context of a run that this request starts; depth 0.
   *
   * @throws ContextError `FIELD_BLANK`, `FIELD_PLACEHOLDER`, `FIELD_INVALID`, `RUN_THREAD_MISMATCH`
   */
  forRun(run: RunIdentity): UserExecutionContext;
  /**
   * The same identity in another request, e.g. each command of a connection.
   *
   * @throws ContextError `FIELD_BLANK`, `FIELD_PLACEHOLDER`, `FIELD_INVALID`, `REQUEST_ID_REUSED`; of a run also
   * `DEPTH_EXCEEDED`
   */
  child(request: ChildRequest): RequestContext;
}

/** Gives back what one registration holds. What it returns is awaited; what it throws, or rejects with, is logged. */
export type Disposer = () => unknown;

/** What a scope needs. */
export interface ScopeDeps {
  /** Told of each disposer that fails. */
  readonly logger: Logger;
}

/**
 * The lifetime of a connection, a request or a run, and owner of what must not outlive it.
 *
 * Disposal is one pass: the signals of the scope and of all scopes below abort at once, then the children
 * close, last first, each wholly before the next, then the scope's own disposers run, last first, each awaited.
 * A disposer must not await the disposal of its own scope or of one above: that waits for the disposer.
 */
export interface Scope extends AsyncDisposable {
  /** Aborts at the start of the disposal, before any disposer runs; its reason is a ContextError `SCOPE_CLOSED`. */
  readonly signal: AbortSignal;
  /**
   * Registers what to do when the scope closes. Once the disposal has begun it is done at once instead; a
   * disposal that is still under way waits for it.
   *
   * @returns takes the registration back without running it; repeatable
   */
  onDispose(dispose: Disposer): () => void;
  /**
   * A scope that closes before this one, and alone when its own work is done: then nothing of it stays here.
   * The child of a closed scope is closed.
   */
  child(name: string): Scope;
  /** Closes the scope. Settles when every disposer has; never rejects. A repeated call joins the first. */
  dispose(): Promise<void>;
}
