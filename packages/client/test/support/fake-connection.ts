import type { ClientMessage, ControlMessage, RunwireEvent } from '@runwire/protocol';
import { encodeFrame, encodeServerMessage } from '@runwire/protocol';

/** The server's end of what carries a connection. */
export interface ServerEnd {
  readonly url: string;
  readonly protocols: readonly string[];
  /** As of a WebSocket. */
  readonly readyState: number;
  opens(): void;
  arrive(data: unknown): void;
  end(code: number, reason: string): void;
}

/** One connection, seen from the server. */
export class FakeConnection {
  readonly id: string;
  readonly url: URL;
  readonly token: string;
  readonly received: ClientMessage[] = [];
  readonly #end: ServerEnd;
  live = false;
  sent = 0;
  acked = 0;
  /** Half-open: nothing passes any more, in either direction. */
  dead = false;

  constructor(id: string, end: ServerEnd) {
    this.id = id;
    this.#end = end;
    this.url = new URL(end.url);
    const entry = end.protocols.find((protocol) => protocol.startsWith('bearer.')) ?? 'bearer.';
    this.token = Buffer.from(entry.slice('bearer.'.length), 'base64url').toString();
  }

  get open(): boolean {
    return this.#end.readyState === 1;
  }

  of<T extends ClientMessage['type']>(type: T): (ClientMessage & { type: T })[] {
    return this.received.filter((message): message is ClientMessage & { type: T } => message.type === type);
  }

  send(...encoded: string[]): void {
    if (!this.dead && encoded.length > 0) this.#end.arrive(encodeFrame(encoded));
  }

  sendRaw(text: unknown): void {
    if (!this.dead) this.#end.arrive(text);
  }

  control(message: ControlMessage): void {
    this.send(encodeServerMessage(message));
  }

  event(event: RunwireEvent): void {
    this.sent = Math.max(this.sent, event.seq);
    this.send(encode(event));
  }

  close(code: number, reason = ''): void {
    this.#end.end(code, reason);
  }
}

/** The JSON of an event. */
export function encode(event: RunwireEvent): string {
  return JSON.stringify(event);
}
