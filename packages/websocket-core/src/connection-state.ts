import type { CloseInfo, ConnectionStateKind, Principal } from './contract.js';

/**
 * The life of one socket, as a pure machine: time and facts come in with the events.
 *
 * ```
 * accepting ──accepted──▶ authenticating ──authenticated──▶ admitting ──established──▶ ready
 *     │                        │                                │                       │
 *     ├────────────────────────┴───── closing (either side) ────┴───────────────────────┤
 *     │                                      ▼                                          │
 *     │                                  draining ──gone──▶ closed                      │
 *     └───────────────────────────────── gone ───────────────▶┴◀────────────────────────┘
 * ```
 *
 * An event that does not apply leaves the state as it is: a late answer to a question that nobody asks any more.
 */
export type ConnectionState =
  /** The upgrade is answered; nothing may be read or sent. */
  | { readonly kind: 'accepting' }
  /** A token is awaited or being verified, until the deadline (monotonic). */
  | { readonly kind: 'authenticating'; readonly deadlineAtMs: number }
  /** The user is known; the connection is opened by its owner. */
  | { readonly kind: 'admitting'; readonly principal: Principal }
  /** `connection_established` is sent. */
  | { readonly kind: 'ready'; readonly principal: Principal }
  /** The close has begun; the peer's answer is awaited until the deadline (monotonic). */
  | { readonly kind: 'draining'; readonly close: CloseInfo; readonly destroyAtMs: number }
  /** The socket is gone. */
  | { readonly kind: 'closed'; readonly close: CloseInfo };

/** What happens to a socket. */
export type ConnectionEvent =
  | { readonly type: 'accepted'; readonly deadlineAtMs: number }
  | { readonly type: 'authenticated'; readonly principal: Principal }
  | { readonly type: 'established' }
  | { readonly type: 'closing'; readonly close: CloseInfo; readonly destroyAtMs: number }
  | { readonly type: 'gone'; readonly close: CloseInfo };

/** The state after `event`; the same object when the event does not apply. */
export function nextState(state: ConnectionState, event: ConnectionEvent): ConnectionState {
  if (state.kind === 'closed') return state;
  switch (event.type) {
    case 'accepted':
      return state.kind === 'accepting'
        ? { kind: 'authenticating', deadlineAtMs: event.deadlineAtMs }
        : state;
    case 'authenticated':
      return state.kind === 'authenticating' ? { kind: 'admitting', principal: event.principal } : state;
    case 'established':
      return state.kind === 'admitting' ? { kind: 'ready', principal: state.principal } : state;
    case 'closing':
      if (state.kind === 'draining') return state;
      return { kind: 'draining', close: event.close, destroyAtMs: event.destroyAtMs };
    case 'gone':
      // The first reason is the reason: a socket that goes after its close was closed, not lost.
      return { kind: 'closed', close: state.kind === 'draining' ? state.close : event.close };
  }
}

/** True while messages may be sent and are listened to. */
export function isOpenState(kind: ConnectionStateKind): boolean {
  return kind !== 'draining' && kind !== 'closed';
}
