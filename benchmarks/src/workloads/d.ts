import type { Round } from '../harness/round.js';
import type { Outcome, Workload } from './contract.js';
import { openConnections } from './steps.js';

/** Behind 400 the compiler is still at work on the handshake: connects cost half as much again as they do here. */
const WARM_UP = 2_000;
/** So many that everybody's heap is collected whole once: with half of them it was a matter of luck, and a fifth. */
const CONNECTS = 3_000;

/** What it costs to let somebody in. */
export const d: Workload = {
  name: 'D',
  title:
    `connects: ${CONNECTS.toLocaleString('en')} connections opened, each with a token that is verified, ` +
    `behind ${WARM_UP.toLocaleString('en')} that are not measured`,
  columns: [
    { key: 'serverCpuMicros', title: 'server CPU, µs per connect' },
    { key: 'clientCpuMicros', title: 'client CPU, µs' },
    { key: 'connectsPerSecond', title: 'connects/s' },
  ],
  goal: { atMost: 1.1 },
  contestants: ['ws', 'socket.io', 'sse', 'uws', 'runwire'],
  users: WARM_UP + CONNECTS,
  // One for each connection, in the server's process and in the clients', and some of their own.
  fileDescriptors: WARM_UP + CONNECTS + 256,
  run,
};

async function run(round: Round): Promise<Outcome> {
  const field = await round.start();
  const { tokens } = field;
  await openConnections(round, field, { tokens: tokens.slice(0, WARM_UP) });
  const time = await round.measured(field, () =>
    openConnections(round, field, { tokens: tokens.slice(WARM_UP) }),
  );
  return {
    metrics: {
      serverCpuMicros: time.serverCpuMicros / CONNECTS,
      clientCpuMicros: time.clientCpuMicros / CONNECTS,
      connectsPerSecond: (CONNECTS * 1_000) / time.wallMs,
    },
  };
}
