import { describe, expect, it } from '@jest/globals';
import { createMemoryEventLog, type RetentionOptions } from '@runwire/event-log';
import { createIdGenerator } from '@runwire/id-generation';
import { createRecordingLogger } from '@runwire/kernel/testing';
import fc from 'fast-check';
import type { FileEventLog, FsyncPolicy } from '../src/index.js';
import { openFileEventLog } from '../src/index.js';
import { createMemoryDisk, type MemoryDisk } from '../src/testing/index.js';
import { comparable, make } from './support/calls.js';
import { pictureOf } from './support/picture.js';
import { Cast, type Plan, pick, plan } from './support/plans.js';
import { createTurningClock } from './support/turning-clock.js';

type Step =
  | { readonly do: 'calls'; readonly plans: readonly Plan[] }
  | { readonly do: 'read'; readonly user: number; readonly seq: number; readonly limit: number }
  | { readonly do: 'wait'; readonly minutes: number }
  | { readonly do: 'compact' | 'begin to compact' | 'turn' | 'reopen' | 'crash' };

/** More than a day, after which nothing is remembered that cannot be read. */
const DAY = 27 * 60;

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('calls' as const),
      plans: fc.array(plan, { minLength: 1, maxLength: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      user: fc.nat(2),
      seq: fc.nat(40),
      limit: fc.nat(9),
    }),
  },
  {
    weight: 1,
    // In between some would be forgotten, which each log does in its own rhythm.
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      minutes: fc.oneof(fc.nat(50), fc.constant(27 * 60)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'compact' as const,
        'begin to compact',
        'begin to compact',
        'turn',
        'reopen',
        'crash',
      ),
    }),
  },
);

/** The same calls on a file log and on the log in memory, which is what the file log must look like. */
class Pair {
  readonly #clock = createTurningClock();
  readonly #ids = createIdGenerator({ clock: this.#clock });
  readonly #deps = { clock: this.#clock, ids: this.#ids, logger: createRecordingLogger() };
  readonly #cast = new Cast(this.#ids);
  readonly #memory;
  readonly #options;
  #disk: MemoryDisk = createMemoryDisk();
  readonly #compacting: Promise<void>[] = [];
  #log: FileEventLog | undefined;

  constructor(fsync: FsyncPolicy, retention: RetentionOptions) {
    this.#memory = createMemoryEventLog(this.#deps, { retention });
    this.#options = { directory: 'memory', fsync, retention, maxSegmentBytes: 3_000 };
  }

  async open(): Promise<void> {
    // What takes time on a disk lets others come between.
    this.#disk.delay = () => new Promise((resolve) => void setImmediate(resolve));
    this.#log = await openFileEventLog({ ...this.#deps, disk: this.#disk }, this.#options);
  }

  async close(): Promise<void> {
    await Promise.all(this.#compacting);
    await this.#log?.close();
    await this.#memory.close();
  }

  async take(taken: Step): Promise<void> {
    switch (taken.do) {
      case 'calls':
        return await this.#call(taken.plans);
      case 'read':
        return await this.#read(taken);
      case 'wait':
        // What can be read keeps what it is remembered by, until each log notices in its own rhythm that it cannot.
        if (taken.minutes === DAY && this.#options.retention.maxAgeMs === undefined) return;
        return await this.#clock.advance(taken.minutes * 60_000);
      case 'compact':
        return await this.#open.compact();
      case 'begin to compact':
        // Goes on while other calls are made.
        this.#compacting.push(this.#open.compact());
        return;
      case 'turn':
        return await new Promise((resolve) => void setImmediate(resolve));
      case 'reopen':
        await this.#open.close();
        return await this.open();
      case 'crash': {
        this.#disk = this.#disk.afterCrash('process');
        const left = this.#open;
        await this.open();
        return await left.close();
      }
    }
  }

  async compare(): Promise<void> {
    const { users } = this.#cast;
    expect(await pictureOf(this.#open, users)).toEqual(await pictureOf(this.#memory, users));
    const { liveBytes, damage, tornBytes } = this.#open.stats();
    expect({ damage, tornBytes }).toEqual({ damage: [], tornBytes: 0 });
    expect(liveBytes).toBeGreaterThanOrEqual(0);
  }

  get #open(): FileEventLog {
    if (this.#log === undefined) throw new Error('not open');
    return this.#log;
  }

  /** All in one turn, as a busy server does. */
  async #call(plans: readonly Plan[]): Promise<void> {
    const calls = plans.map((planned) => this.#cast.call(planned));
    const [onDisk, inMemory] = await Promise.all(
      [this.#open, this.#memory].map((log) => Promise.all(calls.map((call) => make(log, call)))),
    );
    expect(onDisk?.map(comparable)).toEqual(inMemory?.map(comparable));
  }

  async #read({ user, seq, limit }: Step & { do: 'read' }): Promise<void> {
    const who = pick(this.#cast.users, user);
    const [onDisk, inMemory] = await Promise.all(
      [this.#open, this.#memory].map(async (log) => {
        const { epoch } = await log.stream(who);
        const result = await log.read(who, {
          after: { epoch, seq },
          limitEvents: limit,
          limitBytes: limit * 100,
        });
        return result.kind === 'reset'
          ? result.reason
          : [result.head, result.at.seq, result.events.map((e) => e.seq)];
      }),
    );
    expect(onDisk).toEqual(inMemory);
  }
}

describe('the file log under any sequence of calls', () => {
  it.each<[FsyncPolicy, RetentionOptions]>([
    ['interval', { maxEvents: 12, maxAgeMs: 90 * 60_000 }],
    ['always', { maxEvents: 30 }],
    ['never', {}],
  ])(
    '[BR-4] is the log in memory, whatever restarts and compactions come between: fsync %s',
    async (fsync, retention) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
          const pair = new Pair(fsync, retention);
          await pair.open();
          for (const taken of steps) {
            await pair.take(taken);
            await pair.compare();
          }
          await pair.close();
        }),
        { numRuns: Number(process.env['RUNS'] ?? 100) },
      );
    },
  );
});
