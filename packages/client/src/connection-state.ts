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
      readonly reason: string;
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
 *  any ── stop ──▶ stopped ── connect, if resumable ──▶ connecting
 * ```
 */
export function nextState(state: ClientState, event: ConnectionEvent): ClientState {
  const { kind } = state;
  switch (event.kind) {
    case 'connect':
      return kind === 'idle' || (kind === 'stopped' && state.resumable)
        ? { kind: 'connecting', attempt: 1 }
        : state;
    case 'established':
      return kind === 'connecting' ? { ...event, kind: 'replaying' } : state;
    case 'caught_up':
      return kind === 'replaying' ? { ...state, kind: 'live' } : state;
    case 'replaced':
      return kind === 'replaying' || kind === 'live' ? { ...event, kind } : state;
    case 'lost':
      return kind === 'idle' || kind === 'offline' || kind === 'stopped'
        ? state
        : { ...event, kind: 'waiting' };
    case 'retry':
      if (kind === 'offline') return { kind: 'connecting', attempt: 1 };
      return kind === 'waiting' ? { kind: 'connecting', attempt: state.attempt } : state;
    case 'offline':
      return kind === 'connecting' || kind === 'waiting' ? { kind: 'offline' } : state;
    case 'stop':
      // A stop that could have been resumed becomes final by `close`; everything else is final already.
      if (kind === 'stopped' && !(state.resumable && !event.resumable)) return state;
      return { ...event, kind: 'stopped' };
  }
}
