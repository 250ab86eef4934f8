import type { RequestContext } from '@runwire/user-context';
import type { Principal } from '@runwire/websocket-core';
import type { FastifyRequest } from 'fastify';
import { AuthError } from '../auth/errors.js';
import type { DatabaseSession } from '../persistence/session.js';

/** What belongs to one HTTP request, from its start to its end. */
export interface RequestState {
  readonly session: DatabaseSession;
  /** Present behind the authentication guard. */
  caller?: Caller;
}

/** Who calls. */
export interface Caller {
  readonly principal: Principal;
  readonly context: RequestContext;
}

/** The state of each request under way. It goes with the request. */
export type RequestStates = WeakMap<FastifyRequest, RequestState>;

/** The request's database session. */
export function sessionOf(states: RequestStates, request: FastifyRequest): DatabaseSession {
  return stateOf(states, request).session;
}

/** Who calls. @throws AuthError `UNAUTHENTICATED` on a route without the guard */
export function callerOf(states: RequestStates, request: FastifyRequest): Caller {
  const { caller } = stateOf(states, request);
  if (caller === undefined) throw new AuthError('UNAUTHENTICATED', 'Sign in first.');
  return caller;
}

function stateOf(states: RequestStates, request: FastifyRequest): RequestState {
  const state = states.get(request);
  if (state === undefined)
    throw new TypeError('The request has no state: expected the onRequest hook to make it.');
  return state;
}
