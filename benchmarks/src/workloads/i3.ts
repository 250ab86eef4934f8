import { setTimeout as sleep } from 'node:timers/promises';
import { usedBytes } from '../harness/process-meter.js';
import type { Round } from '../harness/round.js';
import type { Outcome, Workload } from './contract.js';
import { emitAndReceive, openConnections } from './steps.js';

const ACTIVE = 500;
const ALL = 10_000;
const PER_USERS_TURN = 10;
/** Events to each of the active users, each time that is measured. */
const EVENTS_OF_ACTIVE = 120;
const STORED_OF_EACH = 5;
/** Clients ack up to 250 ms later: what ten thousand of them were sent before is no cost of what is measured. */
const ACKED_MS = 1_000;

/** More users: what an event costs must not depend on how many there are. */
export const i3: Workload = {
  name: 'I3',
  title: `more users: server CPU per event to ${ACTIVE} users, ten in each turn, with ever more other users connected`,
  columns: [
    { key: 'amongAll', title: `${ALL.toLocaleString('en')} users, µs per event` },
    { key: 'alone', title: `${ACTIVE} users, µs` },
    { key: 'growth', title: 'against each other' },
    { key: 'goneUserBytes', title: 'bytes of memory per user who is gone' },
  ],
  goal: { key: 'growth', atMost: 1.15 },
  contestants: ['ws', 'runwire'],
  users: ALL,
  fileDescriptors: ALL + 256,
  run: run,
};

async function run(round: Round): Promise<Outcome> {
  const field = await round.start();
  const { caller } = field.server;
  const { tokens } = field;
  const before = await caller.call('memory', { settle: true });
  await caller.call('prepare', { users: ACTIVE });
  await openConnections(round, field, { tokens: tokens.slice(0, ACTIVE) });
  let received = 0;
  const emitToActive = async (): Promise<void> => {
    received += EVENTS_OF_ACTIVE;
    const turns = (ACTIVE / PER_USERS_TURN) * EVENTS_OF_ACTIVE;
    const plan = { kind: 'turns', users: PER_USERS_TURN, among: ACTIVE, perTurn: 1, turns } as const;
    await emitAndReceive(field, plan, received);
  };
  await emitToActive();
  await sleep(ACKED_MS);
  const alone = await round.measured(field, emitToActive);

  const others = ALL - ACTIVE;
  const rest = { ...field, client: round.startClient() };
  await openConnections(round, rest, { tokens: tokens.slice(ACTIVE) });
  await caller.call('prepare', { firstUser: ACTIVE, users: others });
  const each = {
    kind: 'turns',
    users: others,
    firstUser: ACTIVE,
    perTurn: 1,
    turns: STORED_OF_EACH,
  } as const;
  await emitAndReceive(rest, each, STORED_OF_EACH);
  await sleep(ACKED_MS);
  const amongAll = await round.measured(field, emitToActive);

  const audit = await field.client.caller.call('audit');
  await caller.call('finish');
  await Promise.all([rest.client.end(), field.client.end()]);
  const after = await caller.call('memory', { settle: true });
  const { logIndexBytes = 0 } = await caller.call('stats');
  const events = ACTIVE * EVENTS_OF_ACTIVE;
  return {
    metrics: {
      alone: alone.serverCpuMicros / events,
      amongAll: amongAll.serverCpuMicros / events,
      growth: amongAll.serverCpuMicros / alone.serverCpuMicros,
      goneUserBytes: (usedBytes(after) - usedBytes(before) - logIndexBytes) / ALL,
    },
    delivery: { expected: received * ACTIVE, audit },
  };
}
