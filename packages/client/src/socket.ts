import { BEARER_PREFIX, type Cursor, SUBPROTOCOL } from '@runwire/protocol/wire';
import type { WebSocketConstructor, WebSocketLike } from './ports.js';

/** One WebSocket attempt. */
export interface SocketRequest {
  readonly url: string;
  readonly token: string;
  /** Where to resume; `beginning` asks for the whole retained stream, `live` for what comes. */
  readonly resume: Cursor | 'live' | 'beginning';
  /** The own connection that this one takes the place of. */
  readonly replaces: string | undefined;
}

/** What a socket tells. After `closed` nothing more comes. */
export interface SocketHandlers {
  opened(): void;
  received(data: unknown): void;
  closed(code: number, reason: string): void;
}

/** An attempt that was started. */
export interface Socket {
  /** Writes, if the socket is open. */
  send(text: string): void;
  /** Closes in peace (1000); nothing more is told. */
  close(): void;
  /** Gives up a dead connection without waiting for the peer; nothing more is told. */
  abandon(): void;
}

const OPEN = 1;

/** Opens a WebSocket. Token in the subprotocols, resume in the query (protocol §2); never the token in the URL. */
export function openSocket(
  webSocket: WebSocketConstructor,
  request: SocketRequest,
  handlers: SocketHandlers,
): Socket {
  const socket = new webSocket(addressOf(request), [SUBPROTOCOL, BEARER_PREFIX + base64url(request.token)]);
  let told = true;
  socket.addEventListener('open', () => {
    if (told) handlers.opened();
  });
  socket.addEventListener('message', ({ data }) => {
    if (told) handlers.received(data);
  });
  socket.addEventListener('close', ({ code, reason }) => {
    if (!told) return;
    told = false;
    handlers.closed(code, reason);
  });
  // A close follows each error, and `ws` throws without a listener.
  socket.addEventListener('error', () => undefined);
  return {
    send(text) {
      if (told && socket.readyState === OPEN) socket.send(text);
    },
    close() {
      told = false;
      endOf(socket, () => socket.close(1000));
    },
    abandon() {
      told = false;
      endOf(socket, () => (socket.terminate === undefined ? socket.close() : socket.terminate()));
    },
  };
}

function endOf(socket: WebSocketLike, end: () => void): void {
  try {
    if (socket.readyState <= OPEN) end();
  } catch {
    // It is gone, which is what was wanted.
  }
}

function addressOf({ url, resume, replaces }: SocketRequest): string {
  const address = new URL(url);
  const { epoch, seq, id }: Partial<Cursor> =
    typeof resume === 'object' ? resume : resume === 'beginning' ? { seq: 0 } : {};
  for (const [name, value] of Object.entries({ epoch, seq, id, replaces })) {
    if (value !== undefined) address.searchParams.set(name, String(value));
  }
  return address.href;
}

function base64url(text: string): string {
  const binary = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
