// Measures in a process of its own, with --expose-gc, what a log keeps in memory; prints it as JSON.
import { createIdGenerator } from '@runwire/id-generation';
import { createSystemClock } from '@runwire/kernel';
import { RecordIndex } from '../../src/record-index.js';
import { Users } from '../../src/users.js';

/** Bytes each, of so and so many. */
export interface MemoryFigures {
  readonly idleUser: readonly number[];
  readonly indexedRecord: readonly number[];
}

const ids = createIdGenerator({ clock: createSystemClock() });
const collect = globalThis.gc;
if (collect === undefined) throw new Error('--expose-gc is missing');

/** Of the heap and what it holds outside, after all garbage has been collected. */
function usedBytes(): number {
  for (let round = 0; round < 4; round += 1) collect?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** What is kept of each of `count` things for which `make` keeps what it returns. */
function bytesEach<T>(count: number, make: () => T): number {
  const before = usedBytes();
  const kept = make();
  const bytes = (usedBytes() - before) / count;
  if (kept === undefined) throw new Error('nothing was kept');
  return Math.round(bytes * 10) / 10;
}

/** Users who came once, and of whom nothing can be read any more. */
function idle(count: number): number {
  return bytesEach(count, () => {
    const users = new Users(() => undefined);
    for (let number = 0; number < count; number += 1) {
      const user = users.open(ids.userId());
      user.restart(2);
      user.setState({ segment: 1, offset: number * 180, length: 180, first: 2 });
      users.rest(user);
    }
    return users;
  });
}

/** The records of one user. */
function indexed(records: number): number {
  return bytesEach(records, () => {
    const index = new RecordIndex();
    for (let seq = 1; seq <= records; seq += 1) {
      index.push({ lastSeq: seq, at: 1_700_000_000_000, segment: 1, offset: seq * 160, length: 160 });
    }
    return index;
  });
}

// What is made once, and compiled, counts for nobody.
idle(1_000);
indexed(1_000);
const figures: MemoryFigures = {
  idleUser: [10_000, 100_000, 300_000].map(idle),
  indexedRecord: [100_000, 1_000_000].map(indexed),
};
process.stdout.write(JSON.stringify(figures));
