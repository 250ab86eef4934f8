// A peer that breaks the rules: HTTP and WebSocket frames byte for byte, over a plain TCP connection.
import { connect, type Socket } from 'node:net';
import { within } from './deadline.js';

const TEXT = 0x1;
const PING = 0x9;
const CLOSE = 0x8;
const FINAL = 0x80;
/** Says that the payload is compressed, which only counts where both sides agreed to that. */
const COMPRESSED = 0x40;

/** One TCP connection to a server. */
export class HostilePeer implements Disposable {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #isOver = false;
  readonly #waiting = new Set<() => void>();

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.socket = connect(Number(port), hostname);
    this.socket.setNoDelay(true);
    this.socket.on('error', () => undefined);
    this.socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#look();
    });
    this.socket.on('close', () => {
      this.#isOver = true;
      this.#look();
    });
  }

  /** The head of the HTTP answer. */
  get answer(): string {
    return this.text.split('\r\n\r\n')[0] ?? '';
  }

  /** Everything that came, frames and all. */
  get text(): string {
    return this.#received.toString('latin1');
  }

  /** The code of the close frame, which is the last of all; undefined without one. */
  get closeCode(): number | undefined {
    const at = this.#received.lastIndexOf(FINAL | CLOSE);
    return at === -1 || at + 4 > this.#received.length ? undefined : this.#received.readUInt16BE(at + 2);
  }

  /** Bytes that have come so far. */
  get receivedBytes(): number {
    return this.#received.length;
  }

  write(bytes: string | Uint8Array): void {
    if (!this.#isOver) this.socket.write(bytes);
  }

  /** Asks for a WebSocket. */
  upgrade(headers: Readonly<Record<string, string>> = {}): void {
    this.write(upgradeText(headers));
  }

  /** Connects as a user, and waits until that is established. */
  async establish(token: string, headers: Readonly<Record<string, string>> = {}): Promise<void> {
    this.upgrade({ Authorization: `Bearer ${token}`, ...headers });
    await this.until('connection_established');
  }

  async until(text: string, timeoutMs = 15_000): Promise<void> {
    await this.#wait(`"${text}"`, timeoutMs, () => this.#received.includes(text));
  }

  /** Settles when the connection is over. */
  async untilOver(timeoutMs = 15_000): Promise<void> {
    await this.#wait('the end of the connection', timeoutMs, () => this.#isOver);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  async #wait(what: string, timeoutMs: number, holds: () => boolean): Promise<void> {
    const holding = new Promise<void>((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
    await within(timeoutMs, what, holding);
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }
}

/** A request for a WebSocket, as it goes over the wire. */
export function upgradeText(headers: Readonly<Record<string, string>> = {}): string {
  const fields = {
    Host: 'localhost',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET /ws HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** One text message in frames of one byte each. */
export function fragmentsOf(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat(
    Array.from(bytes, (byte, index) => {
      const final = index === bytes.length - 1 ? FINAL : 0;
      return frame(final | (index === 0 ? TEXT : 0), Buffer.from([byte]));
    }),
  );
}

/** A ping with as much payload as one may have. */
export function pingFrame(): Buffer {
  return frame(FINAL | PING, Buffer.alloc(125));
}

/** A text message that says it is compressed. */
export function compressedFrame(payload: Uint8Array): Buffer {
  return frame(FINAL | COMPRESSED | TEXT, payload);
}

/** The head of a text message of `length` bytes, none of which is there yet. */
export function headOfText(length: number): Buffer {
  return frame(FINAL | TEXT, Buffer.alloc(length)).subarray(0, 8);
}

/** One frame of a client, masked with zeros; up to 64 KiB. */
function frame(firstByte: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(payload.length < 126 ? 2 : 4);
  head[0] = firstByte;
  head[1] = 0x80 | Math.min(payload.length, 126);
  if (payload.length >= 126) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}
