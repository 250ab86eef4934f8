import type { ClientState } from '@runwire/client';

/** How a connection state is told to the user. */
export interface ConnectionWords {
  readonly label: string;
  readonly detail: string;
  readonly action?: { readonly label: string; readonly does: 'retry' | 'reconnect' | 'sign-in' | 'reload' };
}

const SIGN_IN = { label: 'Sign in again', does: 'sign-in' } as const;
const RECONNECT = { label: 'Reconnect', does: 'reconnect' } as const;
const RELOAD = { label: 'Reload', does: 'reload' } as const;

/** Close codes whose reason sets the delay: trying earlier is of no use. */
const DELAYED_BY_SERVER = new Set([4429, 4503]);

/** The words for a state. Without `secondsLeft` a wait is told without its countdown. */
export function describeConnection(state: ClientState, secondsLeft: number | undefined): ConnectionWords {
  switch (state.kind) {
    case 'idle':
    case 'connecting':
      return { label: 'Connecting', detail: 'Connecting to the server.' };
    case 'replaying':
      return { label: 'Catching up', detail: 'Receiving what happened meanwhile.' };
    case 'live':
      return { label: 'Live', detail: 'Connected: everything appears as it happens.' };
    case 'waiting':
      return waiting(state.closeCode, secondsLeft);
    case 'offline':
      return { label: 'Offline', detail: 'There is no network. It goes on by itself when there is.' };
    case 'stopped':
      return stopped(state);
  }
}

function waiting(closeCode: number, secondsLeft: number | undefined): ConnectionWords {
  const label = secondsLeft === undefined ? 'Connection lost' : `Retrying in ${secondsLeft} s`;
  const detail = 'The connection was lost. Nothing is missed: it goes on where it was.';
  if (DELAYED_BY_SERVER.has(closeCode)) return { label, detail };
  return { label, detail, action: { label: 'Retry now', does: 'retry' } };
}

function stopped({ code, reason, resumable }: Extract<ClientState, { kind: 'stopped' }>): ConnectionWords {
  const detail = reason === '' ? `Stopped with code ${code}.` : `${reason} (${code})`;
  switch (code) {
    case 0:
      return { label: 'This page has a problem', detail, action: RELOAD };
    case 4401:
      return { label: 'Your session has expired', detail, action: SIGN_IN };
    case 4403:
      return { label: 'Your session has ended', detail, action: SIGN_IN };
    case 4409:
      return { label: 'Open in too many tabs', detail, action: RECONNECT };
    default:
      return { label: 'Disconnected', detail, action: resumable ? RECONNECT : RELOAD };
  }
}
