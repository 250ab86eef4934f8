import { createManualClock, type ManualClock } from '@runwire/kernel/testing';
import type {
  ClientMessage,
  CommandResult,
  ControlMessage,
  EventDraft,
  ResetReason,
  RunwireEvent,
} from '@runwire/protocol';
import { createErrorBody, decodeClientMessage, decodeServerFrame, encodeEvent } from '@runwire/protocol';
import type { WebSocketConstructor } from '../../src/index.js';
import { encode, FakeConnection, type ServerEnd } from './fake-connection.js';
import { socketsOf } from './fake-socket.js';

/** Speaks the server's half of the protocol over one user's log, in memory. Everything is checked by the schemas. */
export class FakeServer {
  readonly clock: ManualClock;
  readonly connections: FakeConnection[] = [];
  readonly log: RunwireEvent[] = [];
  epoch = 'epoch_1';
  /** Lowest readable seq. */
  first = 1;
  /** What happens at the door: undefined lets in. */
  door: ((connection: FakeConnection) => 'refuse' | 'hang' | number | undefined) | undefined;
  /** Events per frame. */
  batch = 3;
  /** Close 1006 after this many events of a connection. */
  cutAfter: number | undefined;
  /** Runs between `connection_established` and the replay. */
  onEstablished: (() => void) | undefined;
  /** What to answer; undefined: the default answer, null: none. */
  onMessage: ((message: ClientMessage, connection: FakeConnection) => boolean) | undefined;
  heartbeatIntervalMs = 20_000;
  serverAheadMs = 0;
  maxMessageBytes = 65_536;
  readonly executed: string[] = [];
  readonly #answers = new Map<string, CommandResult>();
  readonly #byEnd = new Map<ServerEnd, FakeConnection>();
  readonly webSocket: WebSocketConstructor;

  constructor(clock: ManualClock = createManualClock()) {
    this.clock = clock;
    this.webSocket = socketsOf(this);
  }

  get head(): number {
    return this.log.length;
  }

  get last(): FakeConnection {
    const last = this.connections.at(-1);
    if (last === undefined) throw new Error('There is no connection.');
    return last;
  }

  get open(): FakeConnection[] {
    return this.connections.filter((connection) => connection.open);
  }

  append(...drafts: EventDraft[]): void {
    const events = drafts.map((draft) => this.#store(draft));
    for (const connection of this.open) if (connection.live) this.#deliver(connection, events);
  }

  stream(): { epoch: string; first: number; head: number; headId: string | null } {
    return { epoch: this.epoch, first: this.first, head: this.head, headId: this.log.at(-1)?.id ?? null };
  }

  /** The log is lost: another epoch, empty. */
  restartLog(epoch: string): void {
    this.epoch = epoch;
    this.log.length = 0;
    this.first = 1;
  }

  accept(end: ServerEnd): void {
    const connection = new FakeConnection(`con_${this.connections.length + 1}`, end);
    this.connections.push(connection);
    this.#byEnd.set(end, connection);
    const verdict = this.door?.(connection);
    if (verdict === 'hang') return;
    if (verdict === 'refuse') {
      end.end(1006, '');
      return;
    }
    end.opens();
    if (typeof verdict === 'number') end.end(verdict, '');
    else this.#establish(connection);
  }

  receive(end: ServerEnd, data: string): void {
    const connection = this.#byEnd.get(end);
    if (connection === undefined || connection.dead) return;
    const decoded = decodeClientMessage(data);
    if (!decoded.ok) throw new Error(`The client sent an invalid message: ${data}`);
    const { message } = decoded;
    connection.received.push(message);
    if (this.onMessage?.(message, connection) === true) return;
    queueMicrotask(() => this.#answer(message, connection));
  }

  ended(end: ServerEnd): void {
    const connection = this.#byEnd.get(end);
    if (connection !== undefined) connection.live = false;
  }

  #store(draft: EventDraft): RunwireEvent {
    const seq = this.log.length + 1;
    const text = encodeEvent(draft, {
      seq,
      id: `${this.epoch}_evt_${seq}`,
      at: Math.floor(this.clock.nowMs()),
    });
    const [event] = decodeServerFrame(text);
    this.log.push(event as RunwireEvent);
    return event as RunwireEvent;
  }

  #establish(connection: FakeConnection): void {
    const { mode, from, reason } = this.#resume(connection.url.searchParams);
    connection.control({
      type: 'connection_established',
      connectionId: connection.id,
      userId: 'user_1',
      serverTimeMs: this.clock.nowMs() + this.serverAheadMs,
      stream: this.stream(),
      resume: reason === undefined ? { mode, from } : { mode, from, reason },
      limits: { maxMessageBytes: this.maxMessageBytes, maxCommandsPerMinute: 60 },
      heartbeatIntervalMs: this.heartbeatIntervalMs,
      tokenExpiresAtMs: this.clock.nowMs() + 900_000,
      reconnect: { minDelayMs: 500, maxDelayMs: 20_000, windowMs: 5_000 },
    });
    this.onEstablished?.();
    connection.sent = from - 1;
    this.#deliver(connection, this.log.slice(from - 1));
    if (!connection.open) return;
    connection.live = true;
    connection.control({ type: 'caught_up', seq: this.head });
    const replaced = this.connections.find(({ id }) => id === connection.url.searchParams.get('replaces'));
    replaced?.close(1000);
  }

  #resume(query: URLSearchParams): { mode: 'live' | 'replay' | 'reset'; from: number; reason?: ResetReason } {
    const live = this.head + 1;
    const seq = query.get('seq');
    const epoch = query.get('epoch');
    const id = query.get('id');
    if (seq === null && epoch === null) return { mode: 'live', from: live };
    const at = Number(seq);
    if (epoch === null && at === 0) return { mode: 'replay', from: this.first };
    if (epoch !== this.epoch) return { mode: 'reset', from: live, reason: 'epoch' };
    if (at > this.head) return { mode: 'reset', from: live, reason: 'ahead' };
    if (at < this.first - 1) return { mode: 'reset', from: live, reason: 'trimmed' };
    if (id !== null && this.log[at - 1]?.id !== id) return { mode: 'reset', from: live, reason: 'fork' };
    return { mode: at === this.head ? 'live' : 'replay', from: at + 1 };
  }

  #deliver(connection: FakeConnection, events: readonly RunwireEvent[]): void {
    for (let at = 0; at < events.length && connection.open; at += this.batch) {
      let frame = events.slice(at, at + this.batch);
      if (this.cutAfter !== undefined) frame = frame.slice(0, this.cutAfter);
      connection.sent = Math.max(connection.sent, frame.at(-1)?.seq ?? 0);
      connection.send(...frame.map(encode));
      if (this.cutAfter === undefined) continue;
      this.cutAfter -= frame.length;
      if (this.cutAfter > 0) continue;
      this.cutAfter = undefined;
      connection.close(1006);
    }
  }

  #answer(message: ClientMessage, connection: FakeConnection): void {
    switch (message.type) {
      case 'ping':
        connection.control({ type: 'pong' });
        break;
      case 'ack':
        if (message.seq > connection.sent)
          throw new Error(`Ack ${message.seq} is beyond ${connection.sent}.`);
        connection.acked = Math.max(connection.acked, message.seq);
        break;
      case 'resync':
        this.#deliver(connection, this.log.slice(message.seq));
        connection.control({ type: 'caught_up', seq: this.head, ref: message.id ?? '' });
        break;
      case 'refresh_token':
        connection.control({
          type: 'auth_refreshed',
          ref: message.id,
          expiresAtMs: this.clock.nowMs() + 900_000,
        });
        break;
      case 'user_message':
      case 'stop_agent':
      case 'resolve_approval':
        this.#execute(message, connection);
        break;
      case 'authenticate':
      case 'start_agent':
        throw new Error(`The client sends no ${message.type}.`);
    }
  }

  #execute(
    message: ClientMessage & { type: 'user_message' | 'stop_agent' | 'resolve_approval' },
    connection: FakeConnection,
  ): void {
    const ref = message.id ?? '';
    const answer = this.#answers.get(ref) ?? this.#run(ref, message);
    connection.control({ type: 'command_accepted', ref, result: answer });
  }

  #run(
    ref: string,
    message: ClientMessage & { type: 'user_message' | 'stop_agent' | 'resolve_approval' },
  ): CommandResult {
    this.executed.push(ref);
    const answers = {
      user_message: { runId: 'run_1', threadId: 'thr_1', messageId: 'msg_1' },
      stop_agent: { runId: 'run_1', status: 'cancelled' },
      resolve_approval: { toolCallId: 'tool_1' },
    } as const;
    const answer = answers[message.type];
    this.#answers.set(ref, answer);
    return answer;
  }
}

/** A rejection to send by hand. */
export function rejection(
  ref: string | null,
  code: Parameters<typeof createErrorBody>[0],
  retryAfterMs?: number,
): ControlMessage {
  const error = createErrorBody(code, retryAfterMs === undefined ? {} : { retryAfterMs });
  return { type: 'command_rejected', ref, error };
}
