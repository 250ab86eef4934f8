import type { RequestId } from '@runwire/id-generation';
import { createRequestContext } from '@runwire/user-context';
import type { FastifyRequest } from 'fastify';
import type { AuthService } from '../auth/auth-service.js';
import { AuthError } from '../auth/errors.js';
import { type RequestStates, sessionOf } from './request-state.js';

/** The `onRequest` hook of every route that needs a signed-in user. */
export function createGuard(deps: { readonly auth: AuthService; readonly states: RequestStates }) {
  return async (request: FastifyRequest): Promise<void> => {
    const session = sessionOf(deps.states, request);
    const principal = await deps.auth.verify(session, bearerToken(request));
    const { userId, sessionId } = principal;
    const context = createRequestContext({ userId, sessionId, requestId: request.id as RequestId });
    deps.states.set(request, { session, caller: { principal, context } });
  };
}

/** A route's guard. */
export type Guard = ReturnType<typeof createGuard>;

function bearerToken(request: FastifyRequest): string {
  const match = /^Bearer ([A-Za-z0-9\-._~+/]+=*)$/i.exec(request.headers.authorization ?? '');
  if (match?.[1] !== undefined) return match[1];
  throw new AuthError('UNAUTHENTICATED', 'Expected the header "Authorization: Bearer <access token>".');
}
