import type { EventLog, Unsubscribe } from '@runwire/event-log';
import type { ConnectionId, RequestId } from '@runwire/id-generation';
import type { Logger } from '@runwire/kernel';
import type { ClientMessageOf, ControlMessage, ResumeInfo, ResumeRequest } from '@runwire/protocol';
import { createErrorBody, createErrorMessage, createServerMessage } from '@runwire/protocol';
import type { DeliveryConnection, DeliveryCursor } from './contract.js';
import type { FlowDeps } from './cursor-flow.js';
import { CursorFlow } from './cursor-flow.js';
import type { CursorEvent, CursorState } from './cursor-state.js';
import { nextCursorStep, OPENING } from './cursor-state.js';
import type { Wake } from './frames.js';
import { OwedCaughtUps } from './owed-caught-ups.js';
import { packPage } from './page-frames.js';
import type { LogPage, ResumeDecision, StartPosition } from './resume.js';
import { decideResume, findStart, resetTo } from './resume.js';
import { ResyncLimit } from './resync-limit.js';

/** What cursors are built from. */
export interface CursorDeps extends FlowDeps {
  readonly log: Pick<EventLog, 'read' | 'stream'>;
  readonly ids: { requestId(): RequestId };
  readonly logger: Logger;
  /** Called once when a cursor is over. */
  readonly released: (cursor: ConnectionCursor) => void;
}

/** Tells the sender of a message what is wrong with it. */
type Answer = (message: ControlMessage) => void;

/** Log unreadable: the client resumes with full jitter (protocol §7). */
const SERVER_ERROR = 4500;
/** The wake that nearly all are. */
const PUSHABLE: CursorEvent = Object.freeze({ type: 'wake', pushable: true, room: true });
const NONE: readonly never[] = Object.freeze([]);
const NOTHING = Promise.resolve();
/** A client that asks again before its first answer is complete. */
const RESYNC_RETRY_MS = 1_000;

/** Moves one connection over its user's stream. `cursor-state.ts` decides; this carries out. */
export class ConnectionCursor implements DeliveryCursor {
  readonly connection: DeliveryConnection;
  readonly #deps: CursorDeps;
  readonly #flow: CursorFlow;
  #resyncLimit: ResyncLimit | undefined;
  #undo: readonly Unsubscribe[] = NONE;
  #state: CursorState = OPENING;
  #isEstablished = false;
  readonly #owed = new OwedCaughtUps();
  /** From a resync until its answer is complete. */
  #resync: ClientMessageOf<'resync'> | undefined;
  /** Lets a read under way see that the position has moved since. */
  #generation = 0;

  constructor(connection: DeliveryConnection, deps: CursorDeps) {
    this.connection = connection;
    this.#deps = deps;
    this.#flow = new CursorFlow(connection, deps);
  }

  get connectionId(): ConnectionId {
    return this.connection.id;
  }

  get sentSeq(): number {
    return this.#flow.sentSeq;
  }

  get ackedSeq(): number {
    return this.#flow.ackedSeq;
  }

  get state(): 'live' | 'behind' | 'closed' {
    const { kind } = this.#state;
    return kind === 'live' || kind === 'closed' ? kind : 'behind';
  }

  get caughtUp(): Promise<void> {
    return this.#owed.firstSent;
  }

  /**
   * Registers, finds the position, sends `connection_established` and the first page. Never rejects; throws when
   * the connection does not take a handler.
   */
  open(resume: ResumeRequest | undefined): Promise<void> {
    // Bound, because each connection has these: as closures they take a third more.
    this.#keep(this.connection.onClose(this.close.bind(this)));
    if (this.#state.kind === 'closed') return NOTHING;
    this.#keep(this.connection.onDrain(this.#onRoom.bind(this)));
    this.#keep(this.connection.handle('ack', this.#onAck.bind(this)));
    this.#keep(this.connection.handle('resync', this.#onResync.bind(this)));
    return this.#locate(decideResume(resume));
  }

  /** The log has more events of this user; the batch, unless it is to be read. */
  wake(wake: Wake | undefined): void {
    if (!this.connection.isOpen) {
      this.close();
      return;
    }
    const { epoch, sentSeq } = this.#flow;
    if (wake === undefined || wake.epoch !== epoch) {
      this.#step({ type: 'wake', pushable: false, room: this.#flow.isRoomy });
      return;
    }
    this.#flow.noteHead(wake.lastSeq);
    // Read from the log before its wake came.
    if (this.#state.kind === 'live' && wake.lastSeq <= sentSeq) return;
    if (wake.firstSeq === sentSeq + 1 && this.#flow.hasRoomFor(wake.bytes)) {
      this.#step(PUSHABLE, wake);
      return;
    }
    // Heartbeats tell a reader that is behind how far.
    this.#flow.report();
    this.#step({ type: 'wake', pushable: false, room: this.#flow.isRoomy });
  }

  close(): void {
    this.#step({ type: 'close' });
  }

  /** Delivery on this connection cannot go on: the client is told to resume. */
  fail(cause: unknown): void {
    if (this.#state.kind === 'closed') return;
    const requestId = this.#deps.ids.requestId();
    const { id: connectionId, userId } = this.connection;
    this.#deps.logger.error({ err: cause, requestId, connectionId, userId }, 'delivery failed');
    this.close();
    this.connection.close(SERVER_ERROR, requestId);
  }

  #keep(undo: Unsubscribe): void {
    if (this.#state.kind === 'closed') undo();
    // `concat` makes lists of exactly their length; `push` leaves room for sixteen more.
    else this.#undo = this.#undo.length === 0 ? [undo] : this.#undo.concat(undo);
  }

  #step(event: CursorEvent, wake?: Wake): void {
    const { state, action } = nextCursorStep(this.#state, event);
    this.#state = state;
    if (action === 'push' && wake !== undefined) this.#flow.send(wake.frames());
    else if (action === 'read') void this.#read();
    else if (action === 'locate') void this.#locate(resyncDecision(this.#resync));
    else if (action === 'release') this.#release();
  }

  /** Finds the position, announces it, and sends the first page from there. */
  async #locate(decision: ResumeDecision): Promise<void> {
    const generation = this.#nextGeneration();
    const resync = this.#resync;
    const limits = { limitEvents: this.#deps.options.maxPageEvents, limitBytes: this.#flow.pageBytes };
    try {
      const start = await findStart(this.#deps.log, this.connection.userId, { decision, limits });
      if (!this.#isCurrent(generation)) return;
      this.#owed.owe(start.stream.head, resync);
      this.#startAt(start);
    } catch (cause) {
      if (generation === this.#generation) this.fail(cause);
    }
  }

  async #read(): Promise<void> {
    const generation = this.#nextGeneration();
    const { position, pageBytes } = this.#flow;
    const request = {
      after: position,
      limitEvents: this.#deps.options.maxPageEvents,
      limitBytes: pageBytes,
    };
    try {
      const result = await this.#deps.log.read(this.connection.userId, request);
      if (!this.#isCurrent(generation)) return;
      if (result.kind === 'page') this.#deliver(result);
      // Retention overtook the reader, or the log is another one.
      else this.#startAt(resetTo(result.stream, result.reason));
    } catch (cause) {
      if (generation === this.#generation) this.fail(cause);
    }
  }

  #nextGeneration(): number {
    this.#generation += 1;
    return this.#generation;
  }

  /** Asked after each await: whether what was awaited still counts. */
  #isCurrent(generation: number): boolean {
    if (generation !== this.#generation || this.#state.kind === 'closed') return false;
    if (!this.connection.isOpen) this.close();
    return this.connection.isOpen;
  }

  #startAt({ stream, resume, position, page }: StartPosition): void {
    this.#announce(stream, resume);
    this.#flow.moveTo(position, stream);
    if (page !== undefined) {
      this.#deliver(page);
      return;
    }
    this.#settleOwed();
    this.#step({ type: 'page', atHead: true, room: this.#flow.isRoomy });
  }

  #announce(stream: StartPosition['stream'], resume: ResumeInfo): void {
    const { mode, reason } = resume;
    if (!this.#isEstablished) {
      this.#isEstablished = true;
      this.connection.establish({ stream, resume });
    } else if (reason !== undefined) {
      const ref = this.#resync?.id;
      this.connection.send(
        createServerMessage('reset', { reason, stream, ...(ref === undefined ? {} : { ref }) }),
      );
    }
    // What was owed in the former stream is answered by the reset: the client is at its new head.
    if (mode === 'reset') this.#owed.moveTo(stream.head);
    const { observer } = this.#deps;
    observer?.resumed?.({
      connectionId: this.connectionId,
      mode,
      ...(reason === undefined ? {} : { reason }),
    });
  }

  #deliver(page: LogPage): void {
    const { maxFrameBytes } = this.#deps.options;
    const frames = packPage(page, maxFrameBytes);
    const fitting = this.#flow.fitting(frames);
    this.#flow.noteHead(page.head);
    this.#flow.send(fitting);
    this.#settleOwed();
    const isWhole = fitting.length === frames.length;
    // A page without events cannot be followed by another: the log has nothing behind the position.
    const atHead = isWhole && (page.at.seq >= page.head || page.events.length === 0);
    this.#step({ type: 'page', atHead, room: isWhole && this.#flow.isRoomy });
  }

  #settleOwed(): void {
    const { sentSeq: seq } = this.#flow;
    for (const { resync } of this.#owed.takeDue(seq)) {
      if (resync !== undefined && resync === this.#resync) this.#resync = undefined;
      const ref = resync?.id;
      this.connection.send(createServerMessage('caught_up', { seq, ...(ref === undefined ? {} : { ref }) }));
    }
  }

  #onRoom(): void {
    if (this.#state.kind === 'waiting' && this.#flow.isRoomy) this.#step({ type: 'room' });
  }

  #onAck({ seq }: ClientMessageOf<'ack'>, answer: Answer): void {
    if (this.#flow.ack(seq)) {
      this.#onRoom();
      return;
    }
    this.#deps.counters.acksRejected += 1;
    const message = `ack: seq ${seq} was never sent on this connection; the last was ${this.sentSeq}.`;
    answer(createErrorMessage({ code: 'INVALID_MESSAGE', message }));
  }

  #onResync(message: ClientMessageOf<'resync'>, answer: Answer): void {
    if (this.#resync !== undefined) {
      answer(this.#refuseResync(message.id, RESYNC_RETRY_MS));
      return;
    }
    this.#resyncLimit ??= new ResyncLimit(this.#deps.options.maxResyncsPerMinute);
    const taken = this.#resyncLimit.take(this.#deps.clock.monotonicMs());
    if (!taken.allowed) {
      answer(this.#refuseResync(message.id, taken.retryAfterMs));
      return;
    }
    this.#resync = message;
    this.#step({ type: 'move' });
  }

  #refuseResync(ref: string | undefined, retryAfterMs: number): ControlMessage {
    this.#deps.counters.resyncsRejected += 1;
    const error = createErrorBody('RATE_LIMITED', { retryAfterMs });
    return ref === undefined
      ? createErrorMessage({ code: 'RATE_LIMITED', retryAfterMs })
      : createServerMessage('command_rejected', { ref, error });
  }

  /** Undoes everything; nothing is handed to the connection from here on. */
  #release(): void {
    const undo = this.#undo;
    this.#undo = NONE;
    for (const step of undo) step();
    this.#owed.clear();
    this.#deps.released(this);
  }
}

function resyncDecision(message: ClientMessageOf<'resync'> | undefined): ResumeDecision {
  if (message === undefined) return { kind: 'live' };
  const { epoch, seq, eventId } = message;
  return decideResume(eventId === undefined ? { epoch, seq } : { epoch, seq, id: eventId });
}
