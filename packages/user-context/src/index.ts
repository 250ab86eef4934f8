/**
 * Frozen identities for connections, requests and agent runs, the context of the current asynchronous flow,
 * and scopes that give back what they own.
 *
 * @packageDocumentation
 */
export type {
  ChildRequest,
  Disposer,
  ExecutionContextFields,
  Metadata,
  MetadataValue,
  RequestContext,
  RequestContextFields,
  RunIdentity,
  Scope,
  ScopeDeps,
} from './contract.js';
export { currentContext, runWithContext } from './current-context.js';
export type { ContextErrorCode } from './errors.js';
export { ContextError } from './errors.js';
export { createRequestContext } from './request-context.js';
export { createScope } from './scope.js';
export type { UserExecutionContextFactory } from './user-execution-context.js';
export { UserExecutionContext } from './user-execution-context.js';
