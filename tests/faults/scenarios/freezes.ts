// The server's process stands still for a while, as on a machine that swaps or migrates, and goes on.
import { createHarness, pause } from '../../harness/index.js';
import type { Row } from '../rows.js';
import { Conversation, sometime, startTalkers } from '../talkers.js';
import { LONG_TOKENS } from './connections.js';

const USERS = 6;

/** How long it stands still, and whether that is long enough for connections to be given up. */
export interface Freeze {
  readonly frozenMs: number;
  readonly mayDisconnect: boolean;
}

/** Stops the process (SIGSTOP) and lets it go on (SIGCONT). Healed is who was handed an event since. */
export async function freezes(row: Row, rounds: number, freeze: Freeze): Promise<void> {
  await using harness = await createHarness({ network: {}, env: LONG_TOKENS });
  const talkers = await startTalkers(harness, USERS);
  const conversation = new Conversation(talkers);
  for (let round = 0; round < rounds; round += 1) {
    await sometime(1_000);
    harness.server.signal('SIGSTOP');
    await pause(freeze.frozenMs);
    // What was on its way before the stop is not what is waited for.
    const handed = talkers.map(({ next }) => next(() => true));
    const thawedAtMs = performance.now();
    harness.server.signal('SIGCONT');
    await Promise.all(handed);
    row.round(performance.now() - thawedAtMs);
  }
  await conversation.over();
  const connections = talkers.map(({ client }) => client.stats.connections);
  if (!freeze.mayDisconnect && connections.some((count) => count > 1)) {
    throw new Error(`connections were given up: ${connections.join(' ')}`);
  }
  row.audited(await harness.audit());
}
