import { usedBytes } from '../harness/process-meter.js';
import type { Round } from '../harness/round.js';
import type { Outcome, Workload } from './contract.js';
import { emitAndReceive, openConnections } from './steps.js';

const USERS = 200;
const EVENTS = 100_000;
const PER_TURN = 100;

/** What is kept in memory of events that everybody has. */
export const i1: Workload = {
  name: 'I1',
  title: `kept: memory per event after ${EVENTS.toLocaleString('en')} events to ${USERS} users`,
  columns: [
    { key: 'keptBytes', title: 'heap after GC and external, bytes per event' },
    { key: 'rssBytes', title: 'RSS, bytes per event' },
    { key: 'recordBytes', title: 'index, bytes per record of the log' },
  ],
  contestants: ['ws-ring', 'socket.io', 'sse', 'runwire', 'runwire-memory'],
  users: USERS,
  run: run,
};

async function run(round: Round): Promise<Outcome> {
  const field = await round.start();
  const { caller } = field.server;
  await openConnections(round, field, { tokens: field.tokens });
  await caller.call('prepare', { users: USERS });
  const plan = { kind: 'turns', users: USERS, perTurn: PER_TURN } as const;
  // What the compiler and the first allocations take is no event's.
  await emitAndReceive(field, { ...plan, turns: 1 }, PER_TURN);
  const before = await caller.call('memory', { settle: true });
  await emitAndReceive(field, { ...plan, turns: EVENTS / USERS / PER_TURN }, EVENTS / USERS + PER_TURN);
  const after = await caller.call('memory', { settle: true });
  const { logIndexBytes = 0, logRecords = 0 } = await caller.call('stats');
  return {
    metrics: {
      keptBytes: (usedBytes(after) - usedBytes(before)) / EVENTS,
      rssBytes: (after.rss - before.rss) / EVENTS,
      recordBytes: logIndexBytes / logRecords,
    },
  };
}
