import type { ClientState } from './contract.js';

/** What can happen to a connection. */
export type ConnectionEvent =
  | { readonly kind: 'connect' }
  | { readonly kind: 'established'; readonly connectionId: string }
  | { readonly kind: 'caught_up' }
  /** The next connection took over from a draining one. */
  | { readonly kind: 'replaced'; readonly connectionId: string }
  /** The connection ended; the next attempt comes in `retryInMs`. Said again when the server asks for longer. */
  | {
      readonly kind: 'lost';
      readonly attempt: number;
      readonly retryInMs: number;
      readonly closeCode: number;
    }
  | { readonly kind: 'retry' }
  /** The page has no network: there is no use in trying. */
  | { readonly kind: 'offline' }
  | { readonly kind: 'stop'; readonly code: number; readonly reason: string; readonly resumable: boolean };

/**
 * The next state. An event that means nothing in a state returns the same object.
 *
 * ```text
 *  idle ── connect ──▶ connecting ── established ──▶ replaying ── caught_up ──▶ live
 *                       ▲  │   │                         │                        │
 *                 retry │  │   └────────── lost ────┬────┴────────── lost ────────┘
 *                       │  │ offline                ▼
 *                       ├──┼──────── retry ────── waiting ⟲ lost
 *                       │  ▼                        │
 *                      offline ◀──────── offline ───┘
 *
 *  replaying and live ⟲ replaced
 *  any ── stop ──▶ closed ── connect, if resumable ──▶ connecting
 * ```
 */
export function nextState(state: ClientState, event: ConnectionEvent): ClientState {
  if (event.kind === 'stop') return stopped(state, event);
  switch (state.kind) {
    case 'idle':
      return event.kind === 'connect' ? { kind: 'connecting', attempt: 1 } : state;
    case 'closed':
      return event.kind === 'connect' && state.resumable ? { kind: 'connecting', attempt: 1 } : state;
    case 'connecting':
      if (event.kind === 'established') return { kind: 'replaying', connectionId: event.connectionId };
      return afterLoss(state, event);
    case 'replaying':
      if (event.kind === 'caught_up') return { kind: 'live', connectionId: state.connectionId };
      if (event.kind === 'replaced') return { kind: 'replaying', connectionId: event.connectionId };
      return afterLoss(state, event);
    case 'live':
      if (event.kind === 'replaced') return { kind: 'live', connectionId: event.connectionId };
      return afterLoss(state, event);
    case 'waiting':
      if (event.kind === 'retry') return { kind: 'connecting', attempt: state.attempt };
      return event.kind === 'offline' ? { kind: 'offline' } : afterLoss(state, event);
    case 'offline':
      return event.kind === 'retry' ? { kind: 'connecting', attempt: 1 } : state;
  }
}

function stopped(state: ClientState, event: ConnectionEvent & { kind: 'stop' }): ClientState {
  // A stop that could have been resumed becomes final by `close`; everything else is final already.
  if (state.kind === 'closed' && !(state.resumable && !event.resumable)) return state;
  return { kind: 'closed', code: event.code, reason: event.reason, resumable: event.resumable };
}

function afterLoss(state: ClientState, event: ConnectionEvent): ClientState {
  if (event.kind === 'offline') return state.kind === 'connecting' ? { kind: 'offline' } : state;
  if (event.kind !== 'lost') return state;
  const { attempt, retryInMs, closeCode } = event;
  return { kind: 'waiting', attempt, retryInMs, closeCode };
}
