import { setTimeout as sleep } from 'node:timers/promises';
import type { Round } from '../harness/round.js';
import { percentile } from '../report/statistics.js';
import type { Column, Goal, Outcome, Workload } from './contract.js';
import { emitAndReceive, openConnections } from './steps.js';

/** A workload in which connections are cut, miss events, and come back. */
export interface ResumeShape {
  readonly name: string;
  readonly title: string;
  /** Each of another user; all are cut and come back at once. */
  readonly clients: number;
  /** Events that each misses. */
  readonly missed: number;
  /** Events that others were sent before. */
  readonly history: number;
  /** Before those that count. */
  readonly warmUps: number;
  readonly repetitions: number;
  readonly goal: Goal;
  readonly contestants: readonly string[];
}

/** Those that keep something to resume from; the first is what one writes by hand. */
export const RESUMABLE: readonly string[] = ['ws-ring', 'socket.io', 'sse', 'runwire'];

const COLUMNS: readonly [Column, ...Column[]] = [
  { key: 'p50Ms', title: 'ms until everything missed is there, p50' },
  { key: 'worstMs', title: 'the slowest, ms' },
  { key: 'serverCpuMicros', title: 'server CPU, µs per replayed event' },
  { key: 'incomplete', title: 'clients without everything' },
];

/** Users who have the history of a storm. */
const OTHERS = 100;
const PER_TURN = 100;
/** For the server to notice a cut connection, and to come to rest. */
const CUT_MS = 50;
/** Received before the first cut, so that there is something to resume from. */
const BEFORE = 10;

/** Creates a workload of cuts and resumes. */
export function resumeWorkload(shape: ResumeShape): Workload {
  return {
    name: shape.name,
    title: shape.title,
    columns: COLUMNS,
    goal: shape.goal,
    contestants: shape.contestants,
    users: shape.clients + (shape.history === 0 ? 0 : OTHERS),
    run: (round) => run(round, shape),
  };
}

async function run(round: Round, shape: ResumeShape): Promise<Outcome> {
  const { clients, missed, history, warmUps, repetitions } = shape;
  const field = await round.start();
  const { server, client } = field;
  await openConnections(round, field, { tokens: field.tokens.slice(0, clients) });
  await server.caller.call('prepare', { users: field.tokens.length });
  await emitAndReceive(field, { kind: 'turns', users: clients, perTurn: BEFORE, turns: 1 }, BEFORE);
  if (history > 0) {
    const turns = history / OTHERS / PER_TURN;
    await server.caller.call('emit', {
      kind: 'turns',
      users: OTHERS,
      perTurn: PER_TURN,
      turns,
      firstUser: clients,
    });
  }
  const perTurn = Math.min(missed, PER_TURN);
  let emitted = BEFORE;
  const miss = async (): Promise<{ readonly perConnection: number }> => {
    await client.caller.call('cut');
    await sleep(CUT_MS);
    await server.caller.call('emit', { kind: 'turns', users: clients, perTurn, turns: missed / perTurn });
    emitted += missed;
    // What waits to be merged with more goes meanwhile.
    await sleep(CUT_MS);
    return { perConnection: emitted };
  };
  for (let warmUp = 0; warmUp < warmUps; warmUp += 1) await client.caller.call('resume', await miss());
  const times: number[] = [];
  let cpuMicros = 0;
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    const target = await miss();
    const time = await round.measured(field, async () => {
      times.push(...(await client.caller.call('resume', target)));
    });
    cpuMicros += time.serverCpuMicros;
  }
  times.sort((one, other) => one - other);
  return {
    metrics: {
      p50Ms: percentile(times, 0.5),
      worstMs: times.at(-1) ?? Number.NaN,
      serverCpuMicros: cpuMicros / (repetitions * clients * missed),
      incomplete: repetitions * clients - times.length,
    },
    delivery: {
      expected: emitted * clients,
      audit: await client.caller.call('audit'),
    },
  };
}
