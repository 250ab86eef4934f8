import type { Round } from '../harness/round.js';
import { percentile } from '../report/statistics.js';
import type { Outcome, Workload } from './contract.js';
import { emitAndReceive, openConnections } from './steps.js';

const USERS = 500;
const PER_SECOND = 20;
const WARM_UP_MS = 1_000;
const DURATION_MS = 4_000;

/** A steady pace: how long an event takes from emit to receipt. */
export const b: Workload = {
  name: 'B',
  title: `paced: ${USERS} users, ${PER_SECOND} events a second to each, for ${DURATION_MS / 1_000} s`,
  columns: [
    { key: 'p99Ms', title: 'p99, ms' },
    { key: 'p50Ms', title: 'p50, ms' },
    { key: 'p999Ms', title: 'p99.9, ms' },
    { key: 'serverCpuMicros', title: 'server CPU, µs per event' },
    { key: 'latenessP99Ms', title: 'emitter late, p99, ms' },
  ],
  goal: { atMost: 1.1 },
  contestants: ['ws', 'socket.io', 'sse', 'uws', 'runwire'],
  users: USERS,
  run,
};

async function run(round: Round): Promise<Outcome> {
  const field = await round.start();
  const { server, client } = field;
  await openConnections(round, field, { tokens: field.tokens, timed: true });
  await server.caller.call('prepare', { users: USERS });
  const plan = { kind: 'paced', users: USERS, perSecond: PER_SECOND } as const;
  const warmUpEvents = (PER_SECOND * WARM_UP_MS) / 1_000;
  await emitAndReceive(field, { ...plan, durationMs: WARM_UP_MS }, warmUpEvents);
  await client.caller.call('latencies');
  const perConnection = warmUpEvents + (PER_SECOND * DURATION_MS) / 1_000;
  let latenessP99Micros = 0;
  const time = await round.measured(field, async () => {
    const [emitted] = await Promise.all([
      server.caller.call('emit', { ...plan, durationMs: DURATION_MS }),
      client.caller.call('untilReceived', { perConnection }),
    ]);
    latenessP99Micros = emitted.latenessP99Micros;
  });
  const latencies = await client.caller.call('latencies');
  return {
    metrics: {
      p50Ms: percentile(latencies, 0.5),
      p99Ms: percentile(latencies, 0.99),
      p999Ms: percentile(latencies, 0.999),
      serverCpuMicros: time.serverCpuMicros / latencies.length,
      latenessP99Ms: latenessP99Micros / 1_000,
    },
    delivery: {
      expected: perConnection * USERS,
      audit: await client.caller.call('audit'),
    },
  };
}
