import { parentPort, workerData } from 'node:worker_threads';
import { createIdGenerator } from '../src/index.js';

/** What a worker sends back: its ids, joined, and the millisecond of each creation. */
export interface MadeIds {
  readonly text: string;
  readonly atMs: Float64Array;
}

const count: number = workerData;
const atMs = new Float64Array(count);
const ids: string[] = [];
// The monotonic clock is the same in each thread of a process: unlike the wall clock it says who was first.
let nowMs = 0;
const readClock = () => {
  nowMs = Number(process.hrtime.bigint() / 1_000_000n);
  return nowMs;
};
const unused = (): never => {
  throw new Error('Ids need only the wall clock.');
};
const generator = createIdGenerator({
  clock: { nowMs: readClock, monotonicMs: unused, setTimer: unused, nextTurn: unused },
});
for (let n = 0; n < count; n += 1) {
  ids.push(generator.eventId());
  atMs[n] = nowMs;
}
const made: MadeIds = { text: ids.join('\n'), atMs };
parentPort?.postMessage(made);
