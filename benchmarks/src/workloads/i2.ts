import type { Field, Round } from '../harness/round.js';
import type { Outcome, Workload } from './contract.js';
import { emitAndReceive, openConnections } from './steps.js';

const PER_TURN = 100;
const LEVELS = [
  { key: 'at1k', stored: 1_000, title: '1 k stored' },
  { key: 'at30k', stored: 30_000, title: '30 k' },
  { key: 'at1m', stored: 1_000_000, title: '1 M' },
] as const;
const MEASURED = 20_000;
const WARM_UP = 60_000;

/** One user's stream grows: what its next event costs must not. */
export const i2: Workload = {
  name: 'I2',
  title: 'longer streams: server CPU per event of one user, 100 in a turn, with ever more events stored',
  columns: [
    { key: 'at1m', title: '1 M stored, µs per event' },
    ...LEVELS.slice(0, 2).map(({ key, title }) => ({ key, title: `${title}, µs` })),
    { key: 'growth', title: '1 M against 1 k' },
  ],
  goal: { key: 'growth', atMost: 1.15 },
  contestants: ['runwire'],
  users: 2,
  run: run,
};

async function run(round: Round): Promise<Outcome> {
  const field = await round.start();
  const { caller } = field.server;
  const { tokens } = field;
  await caller.call('prepare', { users: 2 });
  // The compiler warms up on another user.
  await costAt(round, field, { user: 1, token: tokens[1] ?? '', stored: 0, events: WARM_UP });
  const metrics: Record<string, number> = {};
  let stored = 0;
  for (const { key, stored: level } of LEVELS) {
    const turns = Math.ceil((level - stored) / PER_TURN);
    await caller.call('emit', { kind: 'turns', users: 1, perTurn: PER_TURN, turns });
    stored += turns * PER_TURN;
    metrics[key] = await costAt(round, field, { user: 0, token: tokens[0] ?? '', stored, events: MEASURED });
    stored += MEASURED;
  }
  const { at1m = Number.NaN, at1k = Number.NaN } = metrics;
  return { metrics: { ...metrics, growth: at1m / at1k } };
}

/** Connects the user, emits, and gives the server's processor time per event. */
async function costAt(
  round: Round,
  field: Field,
  at: { readonly user: number; readonly token: string; readonly stored: number; readonly events: number },
): Promise<number> {
  const own = { ...field, client: round.startClient() };
  await openConnections(round, own, { tokens: [at.token], firstNumber: at.stored + 1 });
  const turns = at.events / PER_TURN;
  const time = await round.measured(own, () =>
    emitAndReceive(own, { kind: 'turns', users: 1, firstUser: at.user, perTurn: PER_TURN, turns }, at.events),
  );
  await own.client.end();
  return time.serverCpuMicros / at.events;
}
