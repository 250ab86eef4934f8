import type { RunId, ThreadId } from '@runwire/id-generation';
import type { ChildRequest, ExecutionContextFields, RequestContext } from './contract.js';
import { createRunContext } from './frozen-run-context.js';
import { requestIdentity } from './request-identity.js';

/**
 * For whom and for which run work is done. Deeply frozen, and it needs nothing but its fields: no database,
 * no connection. Made by `UserExecutionContext.fromRequest` or `RequestContext.forRun`.
 */
export interface UserExecutionContext extends RequestContext {
  readonly threadId: ThreadId;
  readonly runId: RunId;
  /** Epoch milliseconds, when whoever made the context gave it. */
  readonly createdAtMs?: number;
  /** 0 for the run itself, 1 more for each child in between; at most 10. */
  readonly depth: number;
  /** What this child does for its parent. */
  readonly operation?: string;
  /**
   * A part of the same run (same user, thread, run, metadata) in a request of its own. The parent stays as it is.
   *
   * @throws ContextError `DEPTH_EXCEEDED`, `REQUEST_ID_REUSED`, `FIELD_BLANK`, `FIELD_PLACEHOLDER`, `FIELD_INVALID`
   */
  child(operation: string, request: ChildRequest): UserExecutionContext;
  /** The same without a name for what it does. */
  child(request: ChildRequest): UserExecutionContext;
}

/** Makes contexts of runs. */
export interface UserExecutionContextFactory {
  /**
   * The context of a run, depth 0, from untrusted texts.
   *
   * @throws ContextError `FIELD_BLANK`, `FIELD_PLACEHOLDER`, `FIELD_INVALID`, `RUN_THREAD_MISMATCH`,
   * `METADATA_RESERVED`, `METADATA_FOREIGN_USER`, `METADATA_INVALID`
   */
  fromRequest(fields: ExecutionContextFields): UserExecutionContext;
}

/** Makes contexts of runs. */
export const UserExecutionContext: UserExecutionContextFactory = Object.freeze({
  fromRequest: (fields: ExecutionContextFields) =>
    createRunContext(requestIdentity(fields), fields, fields.createdAtMs),
});
