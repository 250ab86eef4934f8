import { usedBytes } from '../harness/process-meter.js';
import type { ClientHandle, Field, Round } from '../harness/round.js';
import type { Column, Goal, Outcome, Workload } from './contract.js';
import { emitAndReceive, openConnections } from './steps.js';

const PER_TURN = 100;
/** About 50 MB of events, as bare `ws` writes them. */
const TURNS = 2_600;
const WARM_UP_TURNS = 50;
const HEALTHY_EVENTS = 100;
const MEGABYTE = 1_000_000;

const COLUMNS: readonly [Column, ...Column[]] = [
  { key: 'usedMb', title: 'growth of heap after GC and external memory, MB' },
  { key: 'rssMb', title: 'growth of RSS, MB' },
  { key: 'healthyReceived', title: `another reader got, of ${HEALTHY_EVENTS}` },
  { key: 'catchUpMs', title: 'ms until the reader has the rest' },
];

/** A workload about one reader of 50 MB, and another one beside it. */
export interface ReaderShape {
  readonly name: string;
  readonly title: string;
  /** Whether the reader stops while it is emitted to. */
  readonly stops: boolean;
  readonly goal?: Goal;
  readonly contestants: readonly string[];
}

/** Creates a workload about a reader. */
export function readerWorkload({ stops, ...shape }: ReaderShape): Workload {
  return { ...shape, columns: COLUMNS, users: 2, run: (round) => run(round, { stops }) };
}

async function run(round: Round, { stops }: { readonly stops: boolean }): Promise<Outcome> {
  const field = await round.start();
  const { server, client } = field;
  const other = round.startClient();
  const [token = '', otherToken = ''] = field.tokens;
  await openConnections(round, field, { tokens: [token] });
  await openConnections(round, field, { tokens: [otherToken], client: other });
  await server.caller.call('prepare', { users: 2 });
  const plan = { kind: 'turns', users: 1, perTurn: PER_TURN } as const;
  await emitAndReceive(field, { ...plan, turns: WARM_UP_TURNS }, PER_TURN * WARM_UP_TURNS);
  const before = await server.caller.call('memory', { settle: true });

  if (stops) client.signal('SIGSTOP');
  await server.caller.call('emit', { ...plan, turns: TURNS });
  const perConnection = PER_TURN * (WARM_UP_TURNS + TURNS);
  if (!stops) await client.caller.call('untilReceived', { perConnection });
  const full = await server.caller.call('memory', { settle: false });
  const settled = await server.caller.call('memory', { settle: true });
  const healthyReceived = await healthyReader(field, other);
  client.signal('SIGCONT');
  const startedAtMs = performance.now();
  await client.caller.call('untilReceived', { perConnection });
  return {
    metrics: {
      usedMb: (usedBytes(settled) - usedBytes(before)) / MEGABYTE,
      rssMb: (full.rss - before.rss) / MEGABYTE,
      healthyReceived,
      catchUpMs: performance.now() - startedAtMs,
    },
    delivery: {
      expected: perConnection,
      audit: await client.caller.call('audit'),
    },
  };
}

/** Whether a reader that reads suffers from one that does not. */
async function healthyReader({ server }: Field, other: ClientHandle): Promise<number> {
  const received = other.caller.call('untilReceived', { perConnection: HEALTHY_EVENTS });
  await server.caller.call('emit', {
    kind: 'turns',
    users: 1,
    firstUser: 1,
    perTurn: 1,
    turns: HEALTHY_EVENTS,
  });
  await received;
  return (await other.caller.call('audit')).received;
}
