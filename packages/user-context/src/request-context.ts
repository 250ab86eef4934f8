import type { ConnectionId, RequestId, UserId } from '@runwire/id-generation';
import type {
  ChildRequest,
  RequestContext as Contract,
  Metadata,
  RequestContextFields,
  RunIdentity,
} from './contract.js';
import { createRunContext } from './frozen-run-context.js';
import { childRequestId, identityOf, type RequestIdentity, requestIdentity } from './request-identity.js';
import type { UserExecutionContext } from './user-execution-context.js';

/**
 * The context of a connection, a command or an HTTP call, from untrusted texts.
 *
 * @throws ContextError `FIELD_BLANK`, `FIELD_PLACEHOLDER`, `FIELD_INVALID`, `METADATA_RESERVED`,
 * `METADATA_FOREIGN_USER`, `METADATA_INVALID`
 */
export function createRequestContext(fields: RequestContextFields): Contract {
  return new RequestContext(requestIdentity(fields));
}

/** Named as its interface: a heap snapshot counts contexts by the name of their constructor. */
class RequestContext implements Contract {
  declare readonly userId: UserId;
  declare readonly requestId: RequestId;
  declare readonly sessionId?: string;
  declare readonly connectionId?: ConnectionId;
  declare readonly metadata?: Metadata;

  constructor({ userId, requestId, sessionId, connectionId, metadata }: RequestIdentity) {
    // One by one: each connection and each command has one of these, and `Object.assign` takes twice as long.
    this.userId = userId;
    this.requestId = requestId;
    if (sessionId !== undefined) this.sessionId = sessionId;
    if (connectionId !== undefined) this.connectionId = connectionId;
    if (metadata !== undefined) this.metadata = metadata;
    Object.freeze(this);
  }

  forRun(run: RunIdentity): UserExecutionContext {
    return createRunContext(identityOf(this), run);
  }

  child(request: ChildRequest): Contract {
    return new RequestContext({ ...identityOf(this), requestId: childRequestId(this, request) });
  }
}
Object.freeze(RequestContext);
Object.freeze(RequestContext.prototype);
