import { WebSocket } from 'ws';
import type { ClientContestant, ConnectionRequest, ContestantConnection } from '../contract.js';
import { Acks } from './acks.js';
import type { ControlOrEvent } from './messages.js';

/**
 * A small client written from the protocol: it checks the sequence, hands on the text of deltas and acks as the
 * client of the project does. Over `ws`, so that what its side costs compares with the other contestants'.
 */
export const client: ClientContestant = {
  async connect(request) {
    const connection = new ProtocolConnection(request);
    await connection.open();
    return connection;
  },
};

class ProtocolConnection implements ContestantConnection {
  protocolFaults = 0;
  readonly #request: ConnectionRequest;
  #socket: WebSocket | undefined;
  #acks: Acks | undefined;
  #epoch = '';
  #applied = 0;
  #appliedId: string | undefined;
  #behind = true;
  #isPositioned = false;

  constructor(request: ConnectionRequest) {
    this.#request = request;
  }

  /** Settles with `caught_up` on the first connection, with `connection_established` on a later one. */
  open(): Promise<void> {
    const { port, token } = this.#request;
    const resume = this.#isPositioned ? this.#resumeQuery() : '';
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws${resume}`, ['runwire.v1'], {
      perMessageDeflate: false,
      headers: { authorization: `Bearer ${token}` },
    });
    this.#socket = socket;
    this.#behind = true;
    const awaited = this.#isPositioned ? 'connection_established' : 'caught_up';
    return new Promise((resolve, reject) => {
      socket.on('message', (data: Buffer) =>
        this.#take(data.toString(), (type) => type === awaited && resolve()),
      );
      socket.on('error', reject);
      socket.on('close', (code, reason) => reject(new Error(`closed with ${code} ${reason.toString()}`)));
    });
  }

  cut(): void {
    this.#acks?.stop();
    this.#socket?.removeAllListeners('message');
    this.#socket?.terminate();
  }

  resume(): Promise<void> {
    return this.open();
  }

  close(): void {
    this.cut();
  }

  #resumeQuery(): string {
    const id = this.#appliedId === undefined ? '' : `&id=${this.#appliedId}`;
    return `?epoch=${this.#epoch}&seq=${this.#applied}${id}`;
  }

  #take(frame: string, onControl: (type: string) => void): void {
    const parsed: ControlOrEvent | readonly ControlOrEvent[] = JSON.parse(frame);
    if (isBatch(parsed)) for (const message of parsed) this.#handle(message, onControl);
    else this.#handle(parsed, onControl);
    this.#acks?.note(frame.length, this.#applied, this.#behind);
  }

  #handle(message: ControlOrEvent, onControl: (type: string) => void): void {
    if ('seq' in message && 'id' in message) {
      const { seq, from = seq } = message;
      if (from > this.#applied + 1 || seq <= this.#applied) this.protocolFaults += 1;
      this.#applied = seq;
      this.#appliedId = message.id;
      if (message.type === 'agent_delta') this.#request.receive(message.data.text);
      return;
    }
    if (message.type === 'connection_established') this.#establish(message);
    if (message.type === 'caught_up') this.#behind = false;
    if (message.type === 'reset' || message.type === 'error') this.protocolFaults += 1;
    onControl(message.type);
  }

  #establish({ stream, resume }: Extract<ControlOrEvent, { type: 'connection_established' }>): void {
    const isExpected = this.#isPositioned ? resume.mode !== 'reset' : resume.mode === 'live';
    if (!isExpected) this.protocolFaults += 1;
    this.#epoch = stream.epoch;
    this.#applied = resume.from - 1;
    if (!this.#isPositioned) this.#appliedId = stream.headId ?? undefined;
    this.#isPositioned = true;
    this.#acks = new Acks((seq) => this.#socket?.send(`{"type":"ack","seq":${seq}}`), this.#applied);
  }
}

function isBatch(frame: ControlOrEvent | readonly ControlOrEvent[]): frame is readonly ControlOrEvent[] {
  return Array.isArray(frame);
}
