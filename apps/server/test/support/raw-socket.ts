import { once } from 'node:events';
import { request } from 'node:http';
import type { Socket } from 'node:net';

/** What a server says, decoded from its frames. */
export interface Said {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A listening ear on a server's socket: it sends nothing. */
export interface RawSocket extends Disposable {
  readonly said: readonly Said[];
  /** Settles with the first message that fits, past ones included. */
  hear(fits: (message: Said) => boolean): Promise<Said>;
  /** Settles with the close code. */
  readonly closed: Promise<number>;
}

/** Opens a WebSocket with a token and collects what comes: enough for tests of one package. */
export async function openRawSocket(port: number, token: string, query = ''): Promise<RawSocket> {
  const sent = request({
    port,
    path: `/ws?seq=0${query}`,
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-protocol': 'runwire.v1',
      authorization: `Bearer ${token}`,
    },
  }).end();
  const [, socket, head] = (await once(sent, 'upgrade')) as [unknown, Socket, Buffer];
  return listenTo(socket, head);
}

function listenTo(socket: Socket, head: Buffer): RawSocket {
  const said: Said[] = [];
  const waiting = new Set<() => void>();
  let rest = Buffer.alloc(0);
  let close: (code: number) => void = () => undefined;
  const closed = new Promise<number>((resolve) => {
    close = resolve;
  });
  const take = (chunk: Buffer): void => {
    rest = Buffer.concat([rest, chunk]);
    for (let frame = frameOf(rest); frame !== undefined; frame = frameOf(rest)) {
      rest = rest.subarray(frame.bytes);
      if (frame.opcode === CLOSE) close(frame.payload.readUInt16BE(0));
      if (frame.opcode !== TEXT) continue;
      const value: unknown = JSON.parse(frame.payload.toString());
      said.push(...((Array.isArray(value) ? value : [value]) as Said[]));
    }
    for (const check of waiting) check();
  };
  socket.on('data', take);
  socket.on('error', () => undefined);
  socket.on('close', () => close(1006));
  if (head.length > 0) take(head);
  return {
    said,
    closed,
    hear: (fits) =>
      new Promise((resolve) => {
        const check = (): void => {
          const found = said.find(fits);
          if (found === undefined) return;
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        check();
      }),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

const TEXT = 1;
const CLOSE = 8;

/** The first whole frame of what has come. A server's frames are not masked. */
function frameOf(bytes: Buffer): { opcode: number; payload: Buffer; bytes: number } | undefined {
  if (bytes.length < 2) return undefined;
  const [first = 0, second = 0] = bytes;
  const extra = second === 126 ? 2 : second === 127 ? 8 : 0;
  if (bytes.length < 2 + extra) return undefined;
  const length =
    extra === 0 ? second : extra === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  const end = 2 + extra + length;
  if (bytes.length < end) return undefined;
  return { opcode: first & 0x0f, payload: bytes.subarray(2 + extra, end), bytes: end };
}
