import type { ClientContestant, ContestantConnection } from '../contestants/contract.js';
import { monotonicMicros } from './monotonic-time.js';
import { OrderCheck, type OrderReport } from './order-check.js';
import { QuietWatch } from './quiet-watch.js';
import { TextReader } from './texts.js';

/** Which connections to open. */
export interface FleetRequest {
  readonly port: number;
  /** One connection each. */
  readonly tokens: readonly string[];
  /** How many are opened at a time. */
  readonly concurrency: number;
  /** Whether to keep the time from emit to receipt of each event. */
  readonly timed: boolean;
  /** The number of the first event that each is to receive. */
  readonly firstNumber: number;
}

/** What all connections together received. */
export interface FleetAudit extends OrderReport {
  readonly connections: number;
  /** Events as they came: fewer than `received` when the server merged some. */
  readonly events: number;
  /** By the contestants' own protocols. */
  readonly protocolFaults: number;
}

interface Member {
  readonly check: OrderCheck;
  readonly connection: ContestantConnection;
  /** When it had everything that is waited for, on the machine's monotonic clock. */
  completeAtMicros: number;
}

/** The connections of one client process. They count, check order, and keep latencies when asked to. */
export class ClientFleet {
  readonly #contestant: ClientContestant;
  readonly #members: Member[] = [];
  #latencies: number[] = [];
  #events = 0;
  #waiting: { readonly target: number; readonly done: () => void; left: number } | undefined;

  constructor(contestant: ClientContestant) {
    this.#contestant = contestant;
  }

  /** Opens further connections; settles when all are open. */
  async open(request: FleetRequest): Promise<void> {
    const tokens = request.tokens.values();
    const worker = async (): Promise<void> => {
      for (const token of tokens) await this.#openOne(request, token);
    };
    await Promise.all(Array.from({ length: request.concurrency }, worker));
  }

  /** Settles when each connection has received `target` events, or nothing has come for some seconds. */
  async untilReceived(target: number): Promise<void> {
    const left = this.#members.filter(({ check }) => check.received < target).length;
    if (left === 0) return;
    const watch = new QuietWatch(() => this.#events);
    const { promise, resolve } = settled();
    this.#waiting = { target, done: resolve, left };
    await Promise.race([promise, watch.quiet]);
    watch.stop();
    this.#waiting = undefined;
  }

  /** Cuts every connection at once. */
  cutAll(): void {
    for (const { connection } of this.#members) connection.cut();
  }

  /**
   * Lets every connection come back at once; settles, when each has `target` events or no more come, with the
   * milliseconds that each took; those that did not get everything are left out.
   */
  async resumeAll(target: number): Promise<readonly number[]> {
    for (const member of this.#members) member.completeAtMicros = Number.NaN;
    const startedAt = monotonicMicros();
    const complete = this.untilReceived(target);
    await Promise.all(this.#members.map(({ connection }) => connection.resume()));
    await complete;
    const times = this.#members.map(({ completeAtMicros }) => (completeAtMicros - startedAt) / 1_000);
    return times.filter((time) => Number.isFinite(time)).sort((a, b) => a - b);
  }

  /** Milliseconds from emit to receipt, sorted, of what came since the last call. */
  takeLatencies(): readonly number[] {
    const sorted = Float64Array.from(this.#latencies).sort();
    this.#latencies = [];
    return Array.from(sorted, (micros) => micros / 1_000);
  }

  audit(): FleetAudit {
    const reports = this.#members.map(({ check }) => check.report());
    const sum = (count: (report: OrderReport) => number): number =>
      reports.reduce((total, report) => total + count(report), 0);
    return {
      connections: reports.length,
      events: this.#events,
      received: sum(({ received }) => received),
      duplicated: sum(({ duplicated }) => duplicated),
      reordered: sum(({ reordered }) => reordered),
      garbled: sum(({ garbled }) => garbled),
      protocolFaults: this.#members.reduce((total, { connection }) => total + connection.protocolFaults, 0),
    };
  }

  close(): void {
    for (const { connection } of this.#members) connection.close();
  }

  async #openOne({ port, timed, firstNumber }: FleetRequest, token: string): Promise<void> {
    const check = new OrderCheck(firstNumber);
    const reader = new TextReader();
    const received: Pick<Member, 'completeAtMicros'> = { completeAtMicros: Number.NaN };
    const receive = (text: string): void => {
      this.#events += 1;
      const before = check.received;
      reader.read(text, (number, stampMicros) => {
        check.take(number);
        if (timed) this.#latencies.push(monotonicMicros() - stampMicros);
      });
      const waiting = this.#waiting;
      if (waiting === undefined || before >= waiting.target || check.received < waiting.target) return;
      received.completeAtMicros = monotonicMicros();
      waiting.left -= 1;
      if (waiting.left === 0) waiting.done();
    };
    const connection = await this.#contestant.connect({ port, token, receive });
    this.#members.push(Object.assign(received, { check, connection }));
  }
}

function settled(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
