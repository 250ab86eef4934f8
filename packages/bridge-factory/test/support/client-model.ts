import type { Cursor, RunwireEvent, ServerMessage } from '@runwire/protocol';
import { EVENT_CLASS } from '@runwire/protocol';
import type { FakeConnection, Sent } from './fake-connection.js';

/**
 * A client that follows protocol §6 to the letter, over a network that holds messages back, and loses what
 * is under way when it is cut.
 */
export class ClientModel {
  readonly #connectTo: (onSent: (message: Sent) => void, resume: object) => FakeConnection;
  /** Text of each part, by message and part. */
  readonly texts = new Map<string, string>();
  /** Durable events handed to the application, by `seq`. */
  readonly handled: number[] = [];
  readonly problems: string[] = [];
  cursor: Cursor | undefined;
  connection: FakeConnection | undefined;
  #network: Sent[] = [];
  #isResyncing = false;
  duplicates = 0;
  resyncs = 0;

  constructor(connectTo: (onSent: (message: Sent) => void, resume: object) => FakeConnection) {
    this.#connectTo = connectTo;
  }

  connect(): void {
    this.cut();
    const network: Sent[] = [];
    this.#network = network;
    this.#isResyncing = false;
    this.connection = this.#connectTo((message) => void network.push(message), this.cursor ?? { seq: 0 });
  }

  /** The connection breaks: what was not delivered is gone. */
  cut(): void {
    this.connection?.close();
    this.connection = undefined;
    this.#network = [];
  }

  /** Delivers up to `count` messages, and acks when asked to. */
  receive(count: number, acks = true): void {
    for (const message of this.#network.splice(0, count)) this.#apply(message);
    if (acks && this.cursor !== undefined) this.connection?.ack(this.cursor.seq);
  }

  /** Loses the next event under way, as no TCP connection does: a gap. */
  lose(): void {
    const at = this.#network.findIndex((message) => message.type in EVENT_CLASS);
    if (at !== -1) this.#network.splice(at, 1);
  }

  #apply(message: Sent): void {
    if (message.type === 'established') {
      this.cursor ??= { epoch: message.stream.epoch, seq: message.resume.from - 1 };
      if (message.resume.mode === 'reset') this.problems.push(`reset ${message.resume.reason}`);
    } else if (message.type === 'caught_up') {
      if (message.ref !== undefined) this.#isResyncing = false;
    } else if (isEvent(message)) {
      this.#onEvent(message);
    } else {
      this.problems.push(message.type);
    }
  }

  #onEvent(event: RunwireEvent): void {
    const { cursor } = this;
    if (cursor === undefined) {
      this.problems.push('an event before connection_established');
    } else if (event.seq <= cursor.seq) {
      this.duplicates += 1;
    } else if ((event.from ?? event.seq) <= cursor.seq + 1) {
      this.#hand(event);
      this.cursor = { epoch: cursor.epoch, seq: event.seq, id: event.id };
    } else if (!this.#isResyncing) {
      this.#isResyncing = true;
      this.resyncs += 1;
      const eventId = cursor.id === undefined ? {} : { eventId: cursor.id };
      this.connection?.resync({ id: `r${this.resyncs}`, epoch: cursor.epoch, seq: cursor.seq, ...eventId });
    }
  }

  #hand(event: RunwireEvent): void {
    if (event.type !== 'agent_delta') {
      if (EVENT_CLASS[event.type] === 'durable') this.handled.push(event.seq);
      return;
    }
    const { messageId, part, offset, text } = event.data;
    const key = `${messageId} ${part}`;
    const known = this.texts.get(key) ?? '';
    if (offset > known.length) this.problems.push(`a delta at ${offset} of ${known.length}`);
    this.texts.set(key, known + text.slice(known.length - offset));
  }
}

function isEvent(message: ServerMessage): message is RunwireEvent {
  return message.type in EVENT_CLASS;
}
