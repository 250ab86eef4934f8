import { describe, expect, it } from '@jest/globals';
import {
  type ConnectionEvent,
  type ConnectionState,
  isOpenState,
  nextState,
} from '../src/connection-state.js';
import type { CloseInfo, ConnectionStateKind, Principal } from '../src/index.js';

const principal = { userId: 'u', sessionId: 's', issuedAtMs: 0, expiresAtMs: 1 } as unknown as Principal;
const first: CloseInfo = { code: 4400, reason: 'first', initiator: 'server' };
const second: CloseInfo = { code: 1006, reason: 'second', initiator: 'peer' };

const STATES: { readonly [K in ConnectionStateKind]: Extract<ConnectionState, { kind: K }> } = {
  accepting: { kind: 'accepting' },
  authenticating: { kind: 'authenticating', deadlineAtMs: 5 },
  admitting: { kind: 'admitting', principal },
  ready: { kind: 'ready', principal },
  draining: { kind: 'draining', close: first, destroyAtMs: 9 },
  closed: { kind: 'closed', close: first },
};

const EVENTS: { readonly [T in ConnectionEvent['type']]: Extract<ConnectionEvent, { type: T }> } = {
  accepted: { type: 'accepted', deadlineAtMs: 5 },
  authenticated: { type: 'authenticated', principal },
  established: { type: 'established' },
  closing: { type: 'closing', close: second, destroyAtMs: 3 },
  gone: { type: 'gone', close: second },
};

const TABLE: Record<ConnectionStateKind, Record<ConnectionEvent['type'], ConnectionState>> = {
  accepting: {
    accepted: STATES.authenticating,
    authenticated: STATES.accepting,
    established: STATES.accepting,
    closing: { kind: 'draining', close: second, destroyAtMs: 3 },
    gone: { kind: 'closed', close: second },
  },
  authenticating: {
    accepted: STATES.authenticating,
    authenticated: STATES.admitting,
    established: STATES.authenticating,
    closing: { kind: 'draining', close: second, destroyAtMs: 3 },
    gone: { kind: 'closed', close: second },
  },
  admitting: {
    accepted: STATES.admitting,
    authenticated: STATES.admitting,
    established: STATES.ready,
    closing: { kind: 'draining', close: second, destroyAtMs: 3 },
    gone: { kind: 'closed', close: second },
  },
  ready: {
    accepted: STATES.ready,
    authenticated: STATES.ready,
    established: STATES.ready,
    closing: { kind: 'draining', close: second, destroyAtMs: 3 },
    gone: { kind: 'closed', close: second },
  },
  draining: {
    accepted: STATES.draining,
    authenticated: STATES.draining,
    established: STATES.draining,
    closing: STATES.draining,
    gone: { kind: 'closed', close: first },
  },
  closed: {
    accepted: STATES.closed,
    authenticated: STATES.closed,
    established: STATES.closed,
    closing: STATES.closed,
    gone: STATES.closed,
  },
};

describe('connection state', () => {
  for (const [kind, state] of Object.entries(STATES)) {
    for (const [type, event] of Object.entries(EVENTS)) {
      const expected = TABLE[kind as ConnectionStateKind][type as ConnectionEvent['type']];
      it(`[WS-1] ${kind} + ${type} is ${expected.kind}`, () => {
        expect(nextState(state, event)).toEqual(expected);
        if (expected === state) expect(nextState(state, event)).toBe(state);
      });
    }
  }

  it('is open until a close begins', () => {
    const open = Object.keys(STATES).filter((kind) => isOpenState(kind as ConnectionStateKind));
    expect(open).toEqual(['accepting', 'authenticating', 'admitting', 'ready']);
  });
});
