import {
  type ConnectionId,
  isRunOf,
  type RequestId,
  type RunId,
  type ThreadId,
  type UserId,
} from '@runwire/id-generation';
import type { ChildRequest, Metadata, RunIdentity } from './contract.js';
import { fieldError } from './errors.js';
import { idField, instantField, operationField } from './identity-fields.js';
import { childRequestId, identityOf, type RequestIdentity } from './request-identity.js';
import type { UserExecutionContext as RunContext } from './user-execution-context.js';

/** A child of a context at this depth is refused: a run that calls itself must end. */
const MAX_DEPTH = 10;

/** The context of a run of a request whose identity is already checked. */
export function createRunContext(
  identity: RequestIdentity,
  run: RunIdentity,
  createdAtMs?: number,
): RunContext {
  const threadId = idField('threadId', 'thread', run.threadId);
  const runId = idField('runId', 'run', run.runId);
  if (!isRunOf(runId, threadId)) {
    throw fieldError('RUN_THREAD_MISMATCH', 'runId', `${runId} is not a run of the thread ${threadId}`);
  }
  const created = createdAtMs === undefined ? {} : { createdAtMs: instantField('createdAtMs', createdAtMs) };
  return new UserExecutionContext({ ...identity, threadId, runId, ...created, depth: 0 });
}

/** The fields of a run's context. */
interface RunFields extends RequestIdentity {
  readonly threadId: ThreadId;
  readonly runId: RunId;
  readonly createdAtMs?: number;
  readonly depth: number;
  readonly operation?: string;
}

/** Named as its interface: a heap snapshot counts contexts by the name of their constructor. */
class UserExecutionContext implements RunContext {
  declare readonly userId: UserId;
  declare readonly requestId: RequestId;
  declare readonly sessionId?: string;
  declare readonly connectionId?: ConnectionId;
  declare readonly metadata?: Metadata;
  declare readonly threadId: ThreadId;
  declare readonly runId: RunId;
  declare readonly createdAtMs?: number;
  declare readonly depth: number;
  declare readonly operation?: string;

  constructor(fields: RunFields) {
    Object.assign(this, fields);
    Object.freeze(this);
  }

  forRun(run: RunIdentity): RunContext {
    return createRunContext(identityOf(this), run);
  }

  child(operation: string, request: ChildRequest): RunContext;
  child(request: ChildRequest): RunContext;
  child(first: string | ChildRequest, second?: ChildRequest): RunContext {
    const named = typeof first === 'string' ? { operation: operationField(first) } : {};
    const requestId = childRequestId(this, typeof first === 'string' ? second : first);
    if (this.depth >= MAX_DEPTH)
      throw fieldError('DEPTH_EXCEEDED', 'depth', `must stay at most ${MAX_DEPTH}`);
    const { threadId, runId, createdAtMs } = this;
    const created = createdAtMs === undefined ? {} : { createdAtMs };
    const run = { ...identityOf(this), threadId, runId, ...created };
    return new UserExecutionContext({ ...run, requestId, depth: this.depth + 1, ...named });
  }
}
Object.freeze(UserExecutionContext);
Object.freeze(UserExecutionContext.prototype);
