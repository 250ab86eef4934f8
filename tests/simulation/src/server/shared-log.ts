import type { EncodedBatch, EventLog } from '@runwire/event-log';
import type { Prng } from '../prng.js';
import type { Actor, Scheduler } from '../scheduler.js';

/** What the way to a shared log is made of. */
export interface SharedLogDeps {
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly log: EventLog;
  readonly maxLatencyMs: number;
}

/** Two answers do not come at one instant. */
const ORDER_MS = 0.001;

/**
 * One process's way to a log that outlives it and that others use too. Requests travel, and so do answers and
 * wakes: on one connection, in the order in which the log gave them. Closing it closes the way alone.
 */
export function openSharedLog(process: Actor, deps: SharedLogDeps): EventLog {
  const { log } = deps;
  const way = new Way(process, deps);
  return {
    append: (...args) => way.ask(() => log.append(...args)),
    read: (...args) => way.ask(() => log.read(...args)),
    stream: (...args) => way.ask(() => log.stream(...args)),
    openRuns: (...args) => way.ask(() => log.openRuns(...args)),
    erase: (...args) => way.ask(() => log.erase(...args)),
    trim: (...args) => way.ask(() => log.trim(...args)),
    subscribe(userId, onWake) {
      let isSubscribed = true;
      const undo = log.subscribe(userId, (batch?: EncodedBatch) => {
        way.tell(() => {
          if (isSubscribed) onWake(batch);
        });
      });
      return () => {
        isSubscribed = false;
        undo();
      };
    },
    close: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** Both directions, each in order. */
class Way {
  readonly #out: (run: () => void) => void;
  readonly tell: (run: () => void) => void;

  constructor(process: Actor, deps: SharedLogDeps) {
    this.#out = createLane(process, 'log request', deps);
    this.tell = createLane(process, 'log answer', deps);
  }

  ask<T>(perform: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#out(() => {
        // At once: the wake of an append comes a moment after its result, and stays behind it.
        perform().then(
          (value) => this.tell(() => resolve(value)),
          (cause: unknown) => this.tell(() => reject(cause)),
        );
      });
    });
  }
}

function createLane(process: Actor, what: string, deps: SharedLogDeps): (run: () => void) => void {
  const { scheduler, prng, maxLatencyMs } = deps;
  let lastAtMs = 0;
  return (run) => {
    lastAtMs = Math.max(scheduler.nowMs + prng.next() * maxLatencyMs, lastAtMs + ORDER_MS);
    scheduler.schedule(process, lastAtMs - scheduler.nowMs, what, run);
  };
}
