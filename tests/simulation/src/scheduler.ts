import { Agenda, type Dated } from './agenda.js';
import type { Prng } from './prng.js';
import type { Trace } from './trace.js';

/** Something to which things happen: a server process, a page, the network. */
export interface Actor {
  readonly name: string;
  /** False after {@link Scheduler.kill}: nothing happens to it any more. */
  readonly isAlive: boolean;
}

/** One thing that is to happen. */
export interface Ticket {
  cancel(): void;
}

/** What a scheduler is made of. */
export interface SchedulerDeps {
  readonly prng: Prng;
  readonly trace: Trace;
  /** An exception that nobody caught: it would have ended the process. */
  readonly uncaught: (actor: Actor, cause: unknown) => void;
}

interface Entry extends Dated {
  atMs: number;
  tie: number;
  readonly actor: SchedulerActor;
  readonly what: string;
  run: (() => void) | undefined;
}

interface SchedulerActor extends Actor {
  isAlive: boolean;
  stalledUntilMs: number;
}

/** More virtual time than any seed lasts. */
const LONGEST_MS = 2 ** 40;

/** The host's own, taken before anything forbids it. */
const hostTurn = setImmediate;

/**
 * Owns virtual time and everything that happens: one thing at a time, in the order of their instants, and by the
 * seed's choice where instants are equal. Behind each the host has one turn, in which every promise that can go on
 * does: so what a step causes is over before the next one begins.
 */
export class Scheduler {
  /** Called when a step and all it has caused are over. */
  afterStep: (() => void) | undefined;
  readonly #deps: SchedulerDeps;
  readonly #agenda = new Agenda<Entry>();
  #nowMs = 0;
  #steps = 0;

  constructor(deps: SchedulerDeps) {
    this.#deps = deps;
  }

  /** Virtual milliseconds since the beginning. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** How much has happened. */
  get steps(): number {
    return this.#steps;
  }

  /** Whether somebody is going to read what happened. */
  get isTraced(): boolean {
    return this.#deps.trace.isKept;
  }

  createActor(name: string): Actor {
    const actor: SchedulerActor = { name, isAlive: true, stalledUntilMs: 0 };
    return actor;
  }

  /** Nothing happens to the actor any more: its timers, its answers and its promises are gone with it. */
  kill(actor: Actor): void {
    (actor as SchedulerActor).isAlive = false;
  }

  /** Nothing happens to the actor for a while; what would have happens then. */
  stall(actor: Actor, durationMs: number): void {
    const stalled = actor as SchedulerActor;
    stalled.stalledUntilMs = Math.max(stalled.stalledUntilMs, this.#nowMs + durationMs);
  }

  /** Ends a stall. */
  release(actor: Actor): void {
    (actor as SchedulerActor).stalledUntilMs = 0;
  }

  /** `run` happens to `actor`, `delayMs` from now. */
  schedule(actor: Actor, delayMs: number, what: string, run: () => void): Ticket {
    const entry: Entry = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      tie: this.#deps.prng.next(),
      actor: actor as SchedulerActor,
      what,
      run,
    };
    this.#agenda.push(entry);
    return {
      cancel() {
        entry.run = undefined;
      },
    };
  }

  /** Settles after `delayMs`; never when the actor is killed meanwhile. */
  delay(actor: Actor, delayMs: number, what: string): Promise<void> {
    return new Promise((resolve) => {
      this.schedule(actor, delayMs, what, resolve);
    });
  }

  /** Lets things happen until `isOver`, nothing is left, or the virtual instant `untilMs` has come. */
  async run(isOver: () => boolean, untilMs: number): Promise<void> {
    while (!isOver()) {
      const { first } = this.#agenda;
      if (first === undefined || first.atMs > untilMs) break;
      this.#agenda.pop();
      if (!this.#step(first)) continue;
      await new Promise<void>((resolve) => void hostTurn(resolve));
      this.afterStep?.();
    }
    if (!isOver()) this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** False when nothing happened. */
  #step(entry: Entry): boolean {
    const { actor, run, what } = entry;
    if (run === undefined || !actor.isAlive) return false;
    if (actor.stalledUntilMs > entry.atMs) {
      // In the order in which it would have happened, and before whatever comes at that instant anyway.
      entry.tie = entry.atMs / LONGEST_MS - 1;
      entry.atMs = actor.stalledUntilMs;
      this.#agenda.push(entry);
      return false;
    }
    entry.run = undefined;
    this.#nowMs = entry.atMs;
    this.#steps += 1;
    const { trace, uncaught } = this.#deps;
    trace.mix(what);
    trace.mix(Math.round(entry.atMs * 1_000));
    try {
      run();
    } catch (cause) {
      uncaught(actor, cause);
    }
    return true;
  }
}
