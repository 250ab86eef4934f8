import type { ContestantServer } from '../contestants/contract.js';
import { monotonicMicros } from './monotonic-time.js';
import { eventText } from './texts.js';

/** What a server emits when it is told to. */
export type EmitPlan =
  /** In each turn of the event loop `perTurn` events to each of `users` users, user by user. */
  | {
      readonly kind: 'turns';
      readonly users: number;
      readonly perTurn: number;
      readonly turns: number;
      /** The first of the users. @default 0 */
      readonly firstUser?: number;
      /** Users over whom the turns move on, `users` at a time, and around again. @default `users`: they do not */
      readonly among?: number;
    }
  /** `perSecond` events to each user, spread evenly over the users and over time. */
  | {
      readonly kind: 'paced';
      readonly users: number;
      readonly perSecond: number;
      readonly durationMs: number;
    };

/** Emits plans through a contestant. Numbers each user's events from 1 on, over all plans. */
export class Emission {
  readonly #server: ContestantServer;
  readonly #numbers: Uint32Array;
  readonly #waits = new Set<Promise<void>>();

  constructor(server: ContestantServer, users: number) {
    this.#server = server;
    this.#numbers = new Uint32Array(users);
  }

  /** Settles when everything is emitted; with how many events that were, and how late the latest percent was. */
  async run(plan: EmitPlan): Promise<{ readonly events: number; readonly latenessP99Micros: number }> {
    if (plan.kind === 'paced') return await this.#runPaced(plan);
    const { users, perTurn, turns, firstUser = 0, among = users } = plan;
    for (let turn = 0; turn < turns; turn += 1) {
      for (let user = 0; user < users; user += 1) {
        this.#emitMany(firstUser + ((turn * users + user) % among), perTurn);
      }
      await this.#room();
      await nextTurn();
    }
    return { events: turns * users * perTurn, latenessP99Micros: 0 };
  }

  #emitMany(user: number, count: number): void {
    let wait: Promise<void> | undefined;
    for (let n = 0; n < count; n += 1) wait = this.#emit(user, 0);
    if (wait !== undefined) this.#waits.add(wait);
  }

  #emit(user: number, stampMicros: number): Promise<void> | undefined {
    const number = (this.#numbers[user] ?? 0) + 1;
    this.#numbers[user] = number;
    return this.#server.emit(user, eventText(number, stampMicros));
  }

  /** Waits as an agent does that awaits what it emits. */
  async #room(): Promise<void> {
    if (this.#waits.size === 0) return;
    const waits = [...this.#waits];
    this.#waits.clear();
    await Promise.all(waits);
  }

  async #runPaced(plan: EmitPlan & { readonly kind: 'paced' }) {
    const total = Math.floor((plan.users * plan.perSecond * plan.durationMs) / 1_000);
    const intervalMicros = 1_000_000 / (plan.users * plan.perSecond);
    const lateness = new Float64Array(total);
    const startedAt = monotonicMicros();
    let failure: unknown;
    const fail = (cause: unknown): void => {
      failure ??= cause;
    };
    let emitted = 0;
    while (emitted < total) {
      await nextMillisecond();
      for (let now = monotonicMicros(); emitted < total; now = monotonicMicros()) {
        const dueAt = startedAt + emitted * intervalMicros;
        if (dueAt > now) break;
        lateness[emitted] = now - dueAt;
        this.#emit(emitted % plan.users, now)?.catch(fail);
        emitted += 1;
      }
    }
    if (failure !== undefined) throw failure;
    lateness.sort();
    return { events: total, latenessP99Micros: lateness[Math.floor(total * 0.99)] ?? 0 };
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function nextMillisecond(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
