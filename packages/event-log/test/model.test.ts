import { describe, expect, it } from '@jest/globals';
import { createIdGenerator, type UserId } from '@runwire/id-generation';
import { createManualClock, createRecordingLogger } from '@runwire/kernel/testing';
import fc from 'fast-check';
import { createMemoryEventLog } from '../src/index.js';
import { StreamModel } from './stream-model.js';
import { StreamReader } from './stream-reader.js';

const USERS = 2;
const THREADS = 2;
const READERS = 4;

const user = fc.nat(USERS - 1);
const thread = fc.nat(THREADS - 1);
const reader = fc.nat(READERS - 1);

/** What may happen to a log, in any order. Positions are shares of the stream: 0 its begin, 100 its head. */
const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      user,
      thread,
      count: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('trim' as const), user, share: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('erase' as const), user, thread }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('connect' as const), reader }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), reader }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('pull' as const),
      reader,
      limitEvents: fc.nat(4),
      limitBytes: fc.nat(600),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
);

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** A log, its model and readers of it. Reader `i` follows user `i % USERS`. */
function createWorld() {
  const clock = createManualClock();
  const ids = createIdGenerator({ clock });
  const log = createMemoryEventLog({ clock, ids, logger: createRecordingLogger() });
  const threads = Array.from({ length: THREADS }, () => ids.threadId());
  const users: UserId[] = Array.from({ length: USERS }, () => ids.userId());
  const models = users.map((id) => new StreamModel(log, id));
  const readers = Array.from(
    { length: READERS },
    (_, index) => new StreamReader(log, pick(users, index % USERS)),
  );

  const step = async (op: Operation): Promise<void> => {
    switch (op.do) {
      case 'append':
        return pick(models, op.user).append(pick(threads, op.thread), op.count);
      case 'trim':
        return pick(models, op.user).trim(op.share);
      case 'erase':
        return pick(models, op.user).erase(pick(threads, op.thread));
      case 'connect':
        return pick(readers, op.reader).connect();
      case 'drop':
        return pick(readers, op.reader).drop();
      case 'pull':
        return pick(readers, op.reader).pull(op);
      case 'turn':
        return clock.settle();
    }
  };
  return { clock, log, models, readers, step };
}

describe('a log under any sequence of operations', () => {
  it('agrees with a naive model after every step', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 60 }), async (operations) => {
        const { log, models, step } = createWorld();
        for (const op of operations) {
          await step(op);
          for (const model of models) await model.verify();
        }
        await log.close();
      }),
      { numRuns: 150 },
    );
  });

  it('[BR-3] [BR-4] gives a reader that pages, is woken, drops and resumes every event once, in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 120 }), async (operations) => {
        const { clock, log, models, readers, step } = createWorld();
        for (const op of operations) await step(op);
        await clock.settle();
        for (const [index, each] of readers.entries()) {
          await each.catchUp();
          const model = pick(models, index % USERS);
          expect(each.position).toBe(model.head);
          expect(each.accountedFor).toEqual(Array.from({ length: model.head }, (_, at) => at + 1));
          for (const [seq, title] of each.applied) expect([model.titleAt(seq), 'erased']).toContain(title);
        }
        await log.close();
      }),
      { numRuns: 300 },
    );
  });
});

function pick<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`no item ${index}`);
  return item;
}
