import type { ConnectionId, RequestId, UserId } from '@runwire/id-generation';
import type { ChildRequest, Metadata, RequestContext, RequestContextFields } from './contract.js';
import { fieldError } from './errors.js';
import { idField, sessionField } from './identity-fields.js';
import { copyMetadata } from './metadata.js';

/** The checked, copied and frozen fields of a request's context. */
export interface RequestIdentity {
  readonly userId: UserId;
  readonly requestId: RequestId;
  readonly sessionId?: string;
  readonly connectionId?: ConnectionId;
  readonly metadata?: Metadata;
}

/** An identity that is being put together. */
type Draft = { -readonly [F in keyof RequestIdentity]: RequestIdentity[F] };

/** Checks what a context is to be made of. Each field is read once. */
export function requestIdentity(fields: RequestContextFields): RequestIdentity {
  const { sessionId, connectionId, metadata } = fields;
  const userId = idField('userId', 'user', fields.userId);
  const identity: Draft = { userId, requestId: idField('requestId', 'request', fields.requestId) };
  if (sessionId !== undefined) identity.sessionId = sessionField(sessionId);
  if (connectionId !== undefined) {
    identity.connectionId = idField('connectionId', 'connection', connectionId);
  }
  if (metadata !== undefined) identity.metadata = copyMetadata(metadata, userId);
  return identity;
}

/** The identity that a context has. */
export function identityOf(context: RequestIdentity): RequestIdentity {
  const { userId, requestId, sessionId, connectionId, metadata } = context;
  return {
    userId,
    requestId,
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(connectionId === undefined ? {} : { connectionId }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

/** The request id of a child: checked, and not the parent's. */
export function childRequestId(
  parent: Pick<RequestContext, 'requestId'>,
  child: ChildRequest | undefined,
): RequestId {
  const requestId = idField('requestId', 'request', child?.requestId);
  if (requestId !== parent.requestId) return requestId;
  throw fieldError('REQUEST_ID_REUSED', 'requestId', `${requestId} is the parent's; a child has its own`);
}
