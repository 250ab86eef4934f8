import type { IdGenerator, ThreadId, UserId } from '@runwire/id-generation';
import type { EventDraft } from '@runwire/protocol';
import fc from 'fast-check';
import { type Call, completed, type RunOfThread, renamed, runStarted, thinking } from './calls.js';

const USERS = 3;
const THREADS = 2;
const RUNS = 3;

/** What a call is to be, before it is known where the streams stand. */
export type Plan =
  | {
      readonly do: 'append';
      readonly user: number;
      readonly thread: number;
      readonly sizes: readonly number[];
    }
  | {
      readonly do: 'run';
      readonly user: number;
      readonly run: number;
      readonly event: 'start' | 'think' | 'end';
      readonly key: 'next' | 'repeat' | 'gap' | 'attempt' | 'old attempt' | 'none';
      readonly size: number;
    }
  | { readonly do: 'trim'; readonly user: number; readonly share: number }
  | { readonly do: 'erase'; readonly user: number; readonly thread: number };

const user = fc.nat(USERS - 1);
const size = fc.oneof(fc.nat(30), fc.nat(30), fc.nat(400));

/** Changes of a log, in any order. */
export const plan: fc.Arbitrary<Plan> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      user,
      thread: fc.nat(THREADS - 1),
      sizes: fc.array(size, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('run' as const),
      user,
      run: fc.nat(RUNS - 1),
      event: fc.constantFrom('start' as const, 'think', 'think', 'think', 'end'),
      key: fc.constantFrom(
        'next' as const,
        'next',
        'next',
        'next',
        'repeat',
        'gap',
        'attempt',
        'old attempt',
        'none',
      ),
      size,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('trim' as const), user, share: fc.nat(110) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('erase' as const), user, thread: fc.nat(THREADS - 1) }),
  },
);

/** Calls made in one turn, or a pause in which the log tidies its disk. */
export type CrashStep = readonly Plan[] | 'compact' | 'interval';

/** What a log does until its process, or machine, dies. */
export const crashSteps: fc.Arbitrary<readonly CrashStep[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.array(plan, { minLength: 1, maxLength: 4 }) },
    { weight: 1, arbitrary: fc.constant('compact' as const) },
    { weight: 1, arbitrary: fc.constant('interval' as const) },
  ),
  { minLength: 1, maxLength: 25, size: 'max' },
);

/** From none to all. */
export const share: fc.Arbitrary<number> = fc.double({ min: 0, max: 1, noNaN: true });

/** The rounds of a property: its own, or as many as `RUNS` asks for. */
export function numRuns(own: number): number {
  const asked = process.env['RUNS'];
  return asked === undefined ? own : Number(asked);
}

/** Several users with threads and runs, and where their producers stand. */
export class Cast {
  readonly users: readonly [UserId, ...UserId[]];
  readonly #threads: readonly ThreadId[];
  readonly #runs: readonly (RunOfThread & { attempt: number; n: number })[];
  /** About how far each stream has come. */
  readonly #heads: number[];
  #said = 0;

  constructor(ids: IdGenerator) {
    this.users = [ids.userId(), ids.userId(), ids.userId()];
    this.#threads = Array.from({ length: THREADS }, () => ids.threadId());
    this.#runs = Array.from({ length: USERS * RUNS }, (_, index) => {
      const threadId = pick(this.#threads, index % THREADS);
      return { threadId, runId: ids.runId(threadId), attempt: 1, n: 0 };
    });
    this.#heads = this.users.map(() => 0);
  }

  /** The call that a plan means now. */
  call(planned: Plan): Call {
    const who = pick(this.users, planned.user);
    switch (planned.do) {
      case 'append':
        return this.#append(planned, who);
      case 'run':
        return this.#appendToRun(planned, who);
      case 'trim': {
        const head = this.#heads[planned.user] ?? 0;
        return { do: 'trim', user: who, before: Math.round((planned.share / 100) * head) };
      }
      case 'erase':
        return { do: 'erase', user: who, threadId: pick(this.#threads, planned.thread) };
    }
  }

  #append(planned: Plan & { do: 'append' }, who: UserId): Call {
    const threadId = pick(this.#threads, planned.thread);
    const drafts = planned.sizes.map((bytes) => renamed(threadId, this.#text(bytes)));
    this.#heads[planned.user] = (this.#heads[planned.user] ?? 0) + drafts.length;
    return { do: 'append', user: who, drafts, producer: undefined };
  }

  #appendToRun(planned: Plan & { do: 'run' }, who: UserId): Call {
    const run = pick(this.#runs, planned.user * RUNS + planned.run);
    const { threadId, runId } = run;
    const identity = { threadId, runId };
    const drafts: readonly EventDraft[] = {
      start: [runStarted(identity, run.attempt), thinking(identity, this.#text(planned.size))],
      think: [thinking(identity, this.#text(planned.size))],
      end: [completed(identity)],
    }[planned.event];
    this.#heads[planned.user] = (this.#heads[planned.user] ?? 0) + drafts.length;
    if (planned.key === 'none') return { do: 'append', user: who, drafts, producer: undefined };
    if (planned.key === 'attempt') Object.assign(run, { attempt: run.attempt + 1, n: 0 });
    if (planned.key === 'next' || planned.key === 'attempt') run.n += 1;
    const attempt = planned.key === 'old attempt' ? run.attempt - 1 : run.attempt;
    const n = planned.key === 'gap' ? run.n + 2 : run.n;
    return { do: 'append', user: who, drafts, producer: { id: runId, attempt, n } };
  }

  /** Never the same twice. */
  #text(bytes: number): string {
    this.#said += 1;
    return `«${this.#said}» ${'x€\u{1f600}'.repeat(Math.ceil(bytes / 8))}`;
  }
}

/** The item of a list that must be there. */
export function pick<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`no item ${index}`);
  return item;
}
