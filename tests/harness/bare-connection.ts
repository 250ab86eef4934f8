// Written from PROTOCOL.md alone: JSON and the client's rule. No package of the project is used.
import { within } from './deadline.js';

/** An event or control message, as it came. */
export interface BareMessage {
  readonly type: string;
  readonly seq?: number;
  readonly from?: number;
  readonly id?: string;
  readonly threadId?: string;
  readonly runId?: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into messages of every shape
  readonly [field: string]: any;
}

/** Where a client stands on the stream. */
export interface BareCursor {
  readonly epoch: string;
  readonly seq: number;
  readonly id?: string;
}

const CONTROL = new Set([
  'connection_established',
  'caught_up',
  'reset',
  'heartbeat',
  'pong',
  'command_accepted',
  'command_rejected',
  'auth_expiring',
  'auth_refreshed',
  'server_draining',
  'error',
]);

/** How a connection ended. */
export interface BareClose {
  readonly code: number;
  readonly reason: string;
}

/** One connection, over whatever. It applies events by the client's rule and keeps what it applied. */
export abstract class BareConnection {
  /** Events applied, in order. */
  readonly events: BareMessage[] = [];
  readonly control: BareMessage[] = [];
  duplicates = 0;
  gaps = 0;
  closed: BareClose | undefined;
  readonly #waiting = new Set<() => void>();
  #epoch = '';
  #applied = 0;
  #appliedId: string | undefined;

  /** The last event applied. */
  get cursor(): BareCursor {
    const { epoch, seq } = { epoch: this.#epoch, seq: this.#applied };
    return this.#appliedId === undefined ? { epoch, seq } : { epoch, seq, id: this.#appliedId };
  }

  abstract send(message: unknown): void;

  /** Cuts the connection without a word, as a network does. */
  abstract cut(): void;

  /** Stops reading from the network. */
  abstract pauseReading(): void;

  /** Reads again. */
  abstract resumeReading(): void;

  /** Settles with the first message, past or to come, that fits. */
  async until(
    what: string,
    fits: (message: BareMessage) => boolean,
    timeoutMs = 15_000,
  ): Promise<BareMessage> {
    const find = (): BareMessage | undefined => this.events.find(fits) ?? this.control.find(fits);
    return await within(timeoutMs, what, this.#waitFor(what, find));
  }

  async untilControl(type: string, timeoutMs?: number): Promise<BareMessage> {
    return await this.until(type, (message) => message.type === type && CONTROL.has(type), timeoutMs);
  }

  /** Settles when the connection is closed. */
  async untilClosed(timeoutMs = 15_000): Promise<BareClose> {
    return await within(
      timeoutMs,
      'the close',
      this.#waitFor('the close', () => this.closed, true),
    );
  }

  #waitFor<T>(what: string, find: () => T | undefined, mayClose = false): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find();
        if (found === undefined && (this.closed === undefined || mayClose)) return;
        this.#waiting.delete(look);
        if (found !== undefined) resolve(found);
        else reject(new Error(`The connection closed (${this.closed?.code}) before ${what}.`));
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** Takes one frame; true when it had events that were applied. */
  protected receive(text: string): boolean {
    const frame: unknown = JSON.parse(text);
    const before = this.#applied;
    for (const message of (Array.isArray(frame) ? frame : [frame]) as BareMessage[]) this.#take(message);
    this.wake();
    return this.#applied > before;
  }

  protected end(close: BareClose): void {
    this.closed ??= close;
    this.wake();
  }

  /** Looks again whether what somebody waits for is there. */
  protected wake(): void {
    for (const look of this.#waiting) look();
  }

  #take(message: BareMessage): void {
    if (CONTROL.has(message.type)) {
      this.control.push(message);
      if (message.type === 'connection_established') this.#start(message);
      if (message.type === 'reset') this.#jump(message['stream']);
      return;
    }
    const seq = message.seq ?? 0;
    if (seq <= this.#applied) {
      this.duplicates += 1;
      return;
    }
    if ((message.from ?? seq) > this.#applied + 1) {
      this.gaps += 1;
      return;
    }
    this.#applied = seq;
    this.#appliedId = message.id;
    this.events.push(message);
  }

  #start(message: BareMessage): void {
    const { stream, resume } = message as unknown as {
      stream: { epoch: string; head: number; headId: string | null };
      resume: { mode: string; from: number };
    };
    this.#epoch = stream.epoch;
    this.#applied = resume.from - 1;
    if (resume.mode !== 'replay') this.#appliedId = stream.headId ?? undefined;
  }

  #jump(stream: { epoch: string; head: number; headId: string | null }): void {
    this.#epoch = stream.epoch;
    this.#applied = stream.head;
    this.#appliedId = stream.headId ?? undefined;
  }
}

/** The answer's text, put together from its deltas by their offsets. */
export function textOf(events: readonly BareMessage[], runId: string): string {
  const parts = new Map<number, string>();
  for (const event of events) {
    if (event.type !== 'agent_delta' || event.runId !== runId || event['data'].kind !== 'text') continue;
    const { part, offset, text } = event['data'] as { part: number; offset: number; text: string };
    const known = parts.get(part) ?? '';
    if (offset > known.length) throw new Error(`A delta starts at ${offset}, known are ${known.length}.`);
    parts.set(part, known + text.slice(known.length - offset));
  }
  return [...parts]
    .sort(([a], [b]) => a - b)
    .map(([, text]) => text)
    .join('');
}
