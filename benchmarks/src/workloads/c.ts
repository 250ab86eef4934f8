import type { MemorySample } from '../harness/process-meter.js';
import type { Round } from '../harness/round.js';
import type { Outcome, Workload } from './contract.js';
import { openConnections } from './steps.js';

const CONNECTIONS = 10_000;
/** Opened before the first look at memory: what the first connections cost once is not theirs. */
const FIRST = 500;

/** What a connection costs that does nothing. */
export const c: Workload = {
  name: 'C',
  title: `idle: memory of the server per connection, at ${CONNECTIONS.toLocaleString('en')} users with one each`,
  columns: [
    { key: 'rssKib', title: 'RSS after GC, KiB per connection' },
    { key: 'heapKib', title: 'heap, KiB' },
    { key: 'externalKib', title: 'external, KiB' },
  ],
  goal: { atMost: 1.25 },
  contestants: ['ws', 'socket.io', 'sse', 'uws', 'runwire'],
  users: CONNECTIONS,
  // One for each connection, in the server's process and in the clients', and some of their own.
  fileDescriptors: CONNECTIONS + 256,
  run,
};

async function run(round: Round): Promise<Outcome> {
  const field = await round.start();
  const { tokens } = field;
  const memory = (): Promise<MemorySample> => field.server.caller.call('memory', { settle: true });
  await openConnections(round, field, { tokens: tokens.slice(0, FIRST) });
  const before = await memory();
  await openConnections(round, field, { tokens: tokens.slice(FIRST) });
  const after = await memory();
  const perConnection = (key: keyof MemorySample): number =>
    (after[key] - before[key]) / (CONNECTIONS - FIRST) / 1_024;
  return {
    metrics: {
      rssKib: perConnection('rss'),
      heapKib: perConnection('heapUsed'),
      externalKib: perConnection('external'),
    },
  };
}
