// Agents that misbehave, beside users who are not to notice.
import { createHarness } from '../../harness/index.js';
import type { Row } from '../rows.js';
import { Conversation, type RunEnd, startTalker, startTalkers } from '../talkers.js';

const USERS = 6;
const FLOOD = Array.from({ length: 100_000 }, (_, index) => `${index} `).join('');

/** How an agent misbehaves, and how its run must end. */
export interface Misbehaviour {
  /** Its name in `fault-agents.mjs`. */
  readonly agent: string;
  readonly status: RunEnd['data']['status'];
  /** One of these, if any. */
  readonly codes?: readonly string[];
}

/** Runs an agent that misbehaves while others talk: its run ends as it must, nobody is disconnected. */
export async function misbehaves(row: Row, rounds: number, expected: Misbehaviour): Promise<void> {
  await using harness = await createHarness({ network: {}, faults: {} });
  const talkers = await startTalkers(harness, USERS);
  const victim = await startTalker(harness);
  const conversation = new Conversation(talkers);
  for (let round = 0; round < rounds; round += 1) {
    const { data } = await victim.talk('misbehave', { agent: expected.agent });
    row.round();
    const ended = `${data.status} ${data.error?.code ?? ''}`.trim();
    const { status, codes = [''] } = expected;
    const wanted = codes.map((code) => `${status} ${code}`.trim());
    if (!wanted.includes(ended)) throw new Error(`the run ended ${ended}, expected ${wanted.join(' or ')}`);
    if (JSON.stringify(data).includes('secret')) throw new Error('the end tells what failed inside');
    if (expected.agent === 'floods' && data.result !== undefined && data.result !== FLOOD) {
      throw new Error('the flood is not whole');
    }
  }
  await conversation.over();
  const connections = [victim, ...talkers].map(({ client }) => client.stats.connections);
  if (connections.some((count) => count > 1)) throw new Error(`connections: ${connections.join(' ')}`);
  if ([...conversation.ended.keys()].some((status) => status !== 'completed')) {
    throw new Error(`others' runs ended ${[...conversation.ended.keys()].join(', ')}`);
  }
  row.audited(await harness.audit());
}
