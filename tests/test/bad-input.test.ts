import { describe, expect, it } from '@jest/globals';
import { type BareClient, type BareMessage, createHarness, type Harness } from '../harness/index.js';

const KIB = 1_024;

/** Input that keeps the connection: what is sent, and what it is answered. */
const KEPT: readonly [what: string, text: string, answer: Record<string, unknown>][] = [
  ['no JSON', '{"type":', { type: 'error', code: 'INVALID_JSON' }],
  ['an unknown type', '{"type":"dance"}', { type: 'error', code: 'UNKNOWN_MESSAGE_TYPE' }],
  [
    'an unknown type with an id',
    '{"type":"dance","id":"d1"}',
    { type: 'command_rejected', ref: 'd1', error: { code: 'UNKNOWN_MESSAGE_TYPE' } },
  ],
  ['no object', '[1]', { type: 'error', code: 'INVALID_MESSAGE' }],
  [
    'a broken schema',
    '{"type":"chat","id":"c1","content":7}',
    { type: 'command_rejected', ref: 'c1', error: { code: 'INVALID_MESSAGE' } },
  ],
  [
    'a second authentication',
    '{"type":"authenticate","token":"x"}',
    { type: 'error', code: 'INVALID_MESSAGE' },
  ],
  [
    'blank content',
    '{"type":"chat","id":"b1","content":" \\n "}',
    { type: 'command_rejected', ref: 'b1', error: { code: 'EMPTY_MESSAGE' } },
  ],
  [
    'deep nesting',
    `{"type":"ping","x":${'['.repeat(33)}${']'.repeat(33)}}`,
    { type: 'error', code: 'INVALID_MESSAGE' },
  ],
  ['an ack beyond what was sent', '{"type":"ack","seq":99999}', { type: 'error', code: 'INVALID_MESSAGE' }],
  [
    "another user's thread",
    '{"type":"chat","id":"t1","threadId":"thr_0mjuohs00ojgdfvi800000","content":"hi"}',
    { type: 'command_rejected', ref: 't1', error: { code: 'THREAD_NOT_FOUND' } },
  ],
  [
    'no thread id at all',
    '{"type":"chat","id":"t2","threadId":"nonsense","content":"hi"}',
    { type: 'command_rejected', ref: 't2', error: { code: 'THREAD_NOT_FOUND' } },
  ],
  [
    'an unknown agent',
    '{"type":"chat","id":"a1","agent":"nobody","content":"hi"}',
    { type: 'command_rejected', ref: 'a1', error: { code: 'AGENT_NOT_FOUND' } },
  ],
  [
    'an unknown run',
    '{"type":"stop_agent","id":"s1","runId":"run_x"}',
    { type: 'command_rejected', ref: 's1', error: { code: 'RUN_NOT_FOUND' } },
  ],
  [
    'an approval nobody asked for',
    '{"type":"resolve_approval","id":"p1","runId":"run_x","toolCallId":"tcl_x","approved":true}',
    { type: 'command_rejected', ref: 'p1', error: { code: 'RUN_NOT_FOUND' } },
  ],
  [
    'a message above 64 KiB',
    JSON.stringify({ type: 'chat', content: 'x'.repeat(64 * KIB) }),
    { type: 'error', code: 'MESSAGE_TOO_LARGE' },
  ],
  [
    'a message above 64 KiB of UTF-8 in fewer characters',
    JSON.stringify({ type: 'chat', content: 'é'.repeat(32 * KIB) }),
    { type: 'error', code: 'MESSAGE_TOO_LARGE' },
  ],
];

/** Input that ends the connection: what is done, and with which code. */
const CLOSED: readonly [what: string, send: (client: BareClient) => void, code: number][] = [
  ['a binary frame', (client) => client.socket.send(Buffer.from('{"type":"ping"}')), 1003],
  ['a transport frame above 1 MiB', (client) => client.socket.send('x'.repeat(KIB * KIB + 1)), 1009],
  ['invalid UTF-8', (client) => rawFrame(client, 0x81, Buffer.from([0xc3, 0x28])), 1007],
  ['129 fragments', (client) => fragments(client, 129), 1009],
  ['21 broken messages in a minute', (client) => repeat(21, () => client.socket.send('{')), 4400],
];

describe('bad input', () => {
  it('[WS-6] is answered as documented, keeps the connection, and affects nobody else', async () => {
    await using harness = await createHarness({ env: { RUNWIRE_MAX_BAD_MESSAGES_PER_MINUTE: '100' } });
    const healthy = await counting(harness);
    const client = harness.bare(await harness.register());
    await client.untilControl('caught_up');
    for (const [what, text, answer] of KEPT) {
      const before = client.control.length;
      client.socket.send(text);
      await client.until(
        `an answer to ${what}`,
        (message) => client.control.indexOf(message) >= before && message.type !== 'heartbeat',
      );
      expect({ what, ...client.control[before] }).toMatchObject({ what, ...answer });
    }
    client.send({ type: 'ping', n: 7 });
    expect((await client.untilControl('pong'))['n']).toBe(7);
    expect(client.events).toEqual([]);
    await expectUntouched(healthy);
  });

  it('[WS-6] names the path of each issue', async () => {
    await using harness = await createHarness();
    const client = harness.bare(await harness.register());
    await client.untilControl('caught_up');
    client.send({ type: 'user_message', id: 'm1', content: [{ type: 'text' }], onBusy: 'panic' });
    const { error } = (await client.untilControl('command_rejected')) as unknown as {
      error: { details: { issues: { path: string }[] } };
    };
    expect(error.details.issues.map(({ path }) => path).sort()).toEqual(expect.arrayContaining(['onBusy']));
  });

  it.each(CLOSED)(
    '[WS-6, WS-7] %s closes its connection as documented, and no other',
    async (_what, send, code) => {
      await using harness = await createHarness();
      const healthy = await counting(harness);
      const client = harness.bare(await harness.register());
      await client.untilControl('caught_up');
      send(client);
      expect((await client.untilClosed()).code).toBe(code);
      await expectUntouched(healthy);
    },
  );

  it('[WS-6] takes what is exactly at its limit', async () => {
    await using harness = await createHarness();
    const client = harness.bare(await harness.register());
    await client.untilControl('caught_up');
    const frame = (content: string): string => JSON.stringify({ type: 'chat', id: 'limit', content });
    client.socket.send(frame('x'.repeat(64 * KIB - frame('').length)));
    await client.untilControl('command_accepted');
    client.socket.send(`{"type":"ping","n":1,"x":${'['.repeat(31)}${']'.repeat(31)}}`);
    await client.untilControl('pong');
    fragments(client, 128);
    await client.until('the second pong', (message) => message.type === 'pong' && message['n'] === 128);
    await client.until('the end', ({ type }) => type === 'agent_completed');
  });

  it('[WS-9] answers commands above the limit with retryAfterMs and keeps the connection; a flood closes it 4429', async () => {
    await using harness = await createHarness({ env: { RUNWIRE_MAX_COMMANDS_PER_MINUTE: '3' } });
    const client = harness.bare(await harness.register());
    await client.untilControl('caught_up');
    const stop = (id: string): void => client.send({ type: 'stop_agent', id, runId: 'run_x' });
    for (const id of ['r1', 'r2', 'r3', 'r4']) stop(id);
    const limited = await client.until('the refusal', (message) => message['ref'] === 'r4');
    expect(limited['error']).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    expect(limited['error'].retryAfterMs).toBeGreaterThan(0);
    const last = await client.until('the third answer', (message) => message['ref'] === 'r3');
    expect(last['error'].code).toBe('RUN_NOT_FOUND');
    repeat(120, (index) => stop(`f${index}`));
    const { code, reason } = await client.untilClosed();
    expect([code, JSON.parse(reason).retryAfterMs > 0]).toEqual([4429, true]);
  });

  it('[WS-1] answers a plain GET as it would answer an upgrade', async () => {
    await using harness = await createHarness();
    const ask = (path: string, headers: Record<string, string> = {}) =>
      fetch(new URL(path, harness.url), { headers });
    const plain = await ask('/ws');
    expect([plain.status, (await plain.json()).error.code]).toEqual([426, expect.any(String)]);
    const foreign = await ask('/ws', { origin: 'https://evil.example.org' });
    expect(foreign.status).toBe(403);
    const upgraded = harness.bare(undefined, { protocols: ['graphql-ws'] });
    expect((await upgraded.untilClosed()).code).toBe(1006);
  });
});

/** A user in the middle of an answer. */
async function counting(harness: Harness): Promise<BareClient> {
  const client = harness.bare(await harness.register());
  await client.untilControl('caught_up');
  client.send({ type: 'chat', content: 'count to 100 at 100 per second' });
  await client.until('the start', ({ type }) => type === 'agent_started');
  return client;
}

async function expectUntouched(client: BareClient): Promise<void> {
  const end: BareMessage = await client.until('the end', ({ type }) => type === 'agent_completed');
  expect(end['data'].result).toBe(Array.from({ length: 100 }, (_, index) => index + 1).join(' '));
  expect([client.closed, client.duplicates, client.gaps]).toEqual([undefined, 0, 0]);
}

function repeat(times: number, run: (index: number) => void): void {
  for (let index = 0; index < times; index += 1) run(index);
}

/** One masked frame, written past the library that would refuse to make it. */
function rawFrame(client: BareClient, firstByte: number, payload: Buffer): void {
  const { _socket: socket } = client.socket as unknown as { _socket: { write(bytes: Buffer): void } };
  const mask = Buffer.from([1, 2, 3, 4]);
  const masked = Buffer.from(payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0)));
  socket.write(Buffer.concat([Buffer.from([firstByte, 0x80 | payload.length]), mask, masked]));
}

/** One ping message in `count` fragments. */
function fragments(client: BareClient, count: number): void {
  const text = JSON.stringify({ type: 'ping', n: count }).padEnd(count, ' ');
  for (let index = 0; index < count; index += 1) {
    const last = index === count - 1;
    client.socket.send(last ? text.slice(index) : (text[index] ?? ''), { fin: last });
  }
}
