// A command whose answer never came is sent again: done once, same answer.
import { type BareClient, createHarness, type Harness, type HttpUser, until } from '../../harness/index.js';
import type { Row } from '../rows.js';

/** Where the command was when its connection, or its server, was lost. */
export type Loss = 'the connection, with the answer on its way' | 'the server, between commit and answer';

/** Sends a command, loses the answer, and sends it again on another connection. */
export async function repeats(row: Row, rounds: number, loss: Loss): Promise<void> {
  await using harness = await createHarness({ network: {}, faults: {} });
  for (let round = 0; round < rounds; round += 1) {
    const user = await harness.register();
    const message = { type: 'chat', id: `once-${round}`, content: 'what is 2 ^ 10?' };
    const lostAtMs = await (loss === 'the server, between commit and answer'
      ? killBetween(harness, user, message)
      : cutBetween(harness, user, message));
    const answers = await Promise.all([0, 1].map(() => sendAgain(harness, user, message)));
    row.round(performance.now() - lostAtMs);
    const runs = new Set(answers.map(({ runId }) => runId));
    const threads = (await user.call('GET', '/api/threads')).body.items as readonly unknown[];
    if (runs.size !== 1 || threads.length !== 1) {
      throw new Error(`${runs.size} answers and ${threads.length} threads for one command`);
    }
  }
  row.audited(await harness.audit());
}

async function cutBetween(harness: Harness, user: HttpUser, message: object): Promise<number> {
  const client = await connected(harness, user);
  harness.proxy.stall('toClient');
  client.send(message);
  await until(10_000, 'the command to be done', async () => {
    return ((await user.call('GET', '/api/threads')).body.items as readonly unknown[]).length > 0;
  });
  const lostAtMs = performance.now();
  harness.proxy.cut();
  harness.proxy.restore();
  return lostAtMs;
}

async function killBetween(harness: Harness, user: HttpUser, message: object): Promise<number> {
  await harness.restart({ faults: { crash: 'sql-commit:after:1' } });
  const client = await connected(harness, user);
  client.send(message);
  await until(10_000, 'the server to die behind the commit', () => !harness.server.isRunning);
  const lostAtMs = performance.now();
  await harness.restart({ faults: {} });
  return lostAtMs;
}

async function sendAgain(
  harness: Harness,
  user: HttpUser,
  message: object,
): Promise<{ readonly runId: string }> {
  const client = await connected(harness, user, { resume: { seq: 0 } });
  client.send(message);
  const { result } = (await client.untilControl('command_accepted')) as unknown as {
    result: { readonly runId: string };
  };
  await client.until('the end', ({ type, runId }) => type === 'agent_completed' && runId === result.runId);
  return result;
}

async function connected(
  harness: Harness,
  user: HttpUser,
  options?: Parameters<Harness['bare']>[1],
): Promise<BareClient> {
  const client = harness.bare(user, options);
  await client.untilControl('caught_up');
  return client;
}
