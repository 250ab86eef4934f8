import type { Round } from '../harness/round.js';
import type { Column, Goal, Outcome, Workload } from './contract.js';
import { emitAndReceive, openConnections } from './steps.js';

/** A workload that emits in turns of the event loop. */
export interface TurnShape {
  readonly name: string;
  readonly title: string;
  readonly users: number;
  readonly connectionsPerUser: number;
  /** Events to each user in one turn. */
  readonly perTurn: number;
  readonly turns: number;
  readonly goal: Goal;
  readonly contestants: readonly string[];
}

const COLUMNS: readonly [Column, ...Column[]] = [
  { key: 'serverCpuMicros', title: 'server CPU, µs per delivered event' },
  { key: 'clientCpuMicros', title: 'client CPU, µs' },
  { key: 'eventsPerSecond', title: 'delivered events/s' },
];

/** The first repetitions are for the compiler. */
const WARM_UPS = 2;
const REPETITIONS = 4;

/** Creates a workload that repeats its turns, each time until every connection has everything. */
export function turnWorkload(shape: TurnShape): Workload {
  return {
    name: shape.name,
    title: shape.title,
    columns: COLUMNS,
    goal: shape.goal,
    contestants: shape.contestants,
    users: shape.users,
    run: (round) => run(round, shape),
  };
}

async function run(round: Round, shape: TurnShape): Promise<Outcome> {
  const { users, connectionsPerUser, perTurn, turns } = shape;
  const field = await round.start();
  const tokens = field.tokens.flatMap((token) => Array.from({ length: connectionsPerUser }, () => token));
  await openConnections(round, field, { tokens });
  await field.server.caller.call('prepare', { users });
  const perConnection = perTurn * turns;
  let emitted = 0;
  const repeat = async (): Promise<void> => {
    emitted += perConnection;
    await emitAndReceive(field, { kind: 'turns', users, perTurn, turns }, emitted);
  };
  for (let warmUp = 0; warmUp < WARM_UPS; warmUp += 1) await repeat();
  const time = await round.measured(field, async () => {
    for (let repetition = 0; repetition < REPETITIONS; repetition += 1) await repeat();
  });
  const delivered = REPETITIONS * perConnection * tokens.length;
  return {
    metrics: {
      serverCpuMicros: time.serverCpuMicros / delivered,
      clientCpuMicros: time.clientCpuMicros / delivered,
      eventsPerSecond: (delivered * 1_000) / time.wallMs,
    },
    delivery: {
      expected: emitted * tokens.length,
      audit: await field.client.caller.call('audit'),
    },
  };
}
