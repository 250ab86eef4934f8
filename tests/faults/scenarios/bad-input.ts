// Everything that is no protocol, over and over, beside users who are not to notice.
import { createHarness, type Harness, type HttpUser } from '../../harness/index.js';
import { PROBED, probeMemory } from '../../harness/memory-probe.js';
import type { Row } from '../rows.js';
import { Conversation, startTalkers } from '../talkers.js';
import { LONG_TOKENS } from './connections.js';

const HEALTHY = 5;
const KIB = 1_024;
const MAX_GROWTH_BYTES = 5_000_000;

/** What is sent, one kind to a connection, each twice above its limit where there is one. */
const INPUTS: readonly (readonly [what: string, input: string | Buffer])[] = [
  ['no JSON', '{"type":'],
  ['no object', '[1]'],
  ['an unknown type', '{"type":"dance","id":"d1"}'],
  ['a broken schema', '{"type":"chat","id":"c1","content":7}'],
  ['a blank message', '{"type":"chat","id":"b1","content":" "}'],
  ['deep nesting', `{"type":"ping","x":${'['.repeat(64)}${']'.repeat(64)}}`],
  ['a message of 128 KiB', JSON.stringify({ type: 'chat', content: 'x'.repeat(128 * KIB) })],
  ['a frame of 2 MiB', 'x'.repeat(2 * KIB * KIB)],
  ['binary', Buffer.from('{"type":"ping"}')],
  ['an ack of what was never sent', '{"type":"ack","seq":99999}'],
  ['a resync from nowhere', '{"type":"resync","epoch":"x","seq":-1}'],
  ['lone surrogates and NUL', '{"type":"chat","content":"\\ud800 \\u0000"}'],
];
/** More than a minute allows of messages that are none. */
const TIMES = 25;

/** Each kind of bad input on connections of its own; memory does not grow and nobody else is affected. */
export async function sendsNonsense(row: Row, rounds: number): Promise<void> {
  await using harness = await createHarness({ network: {}, env: LONG_TOKENS, nodeFlags: PROBED });
  using probe = await probeMemory(harness.server);
  const talkers = await startTalkers(harness, HEALTHY);
  const culprit = await harness.register();
  // Once before it is measured: what is made on first use stays.
  await sendAll(harness, culprit);
  const beforeBytes = await probe.usedBytes();
  const conversation = new Conversation(talkers, { prompts: ['count to 100 at 100 per second'] });
  for (let round = 0; round < rounds; round += 1) {
    await sendAll(harness, culprit);
    row.round();
  }
  await conversation.over();
  const grownBytes = (await probe.usedBytes()) - beforeBytes;
  row.note(`memory grew by ${(grownBytes / 1_000_000).toFixed(1)} MB`);
  if (grownBytes > MAX_GROWTH_BYTES) throw new Error(`memory grew by ${grownBytes} bytes`);
  const connections = talkers.map(({ client }) => client.stats.connections);
  if (connections.some((count) => count > 1)) throw new Error('healthy users were disconnected');
  row.audited(await harness.audit());
}

async function sendAll(harness: Harness, user: HttpUser): Promise<void> {
  for (const [what, input] of INPUTS) {
    const client = harness.bare(user);
    await client.untilControl('caught_up');
    for (let time = 0; time < TIMES && client.socket.readyState === client.socket.OPEN; time += 1) {
      client.socket.send(input);
    }
    // Answered, or closed.
    await client.until(`an answer to ${what}`, ({ type }) => ANSWERS.has(type)).catch(() => undefined);
    client.cut();
  }
}

const ANSWERS: ReadonlySet<string> = new Set(['error', 'command_rejected', 'command_accepted']);
