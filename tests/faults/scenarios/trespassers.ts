// A user who tries the ids of another: whatever is asked, the answer is that of something that is not there.
import { type BareClient, createHarness, type Harness, type HttpUser, textOf } from '../../harness/index.js';
import type { Row } from '../rows.js';
import { Conversation, startTalkers } from '../talkers.js';

const NEIGHBOURS = 4;
const MISSING = {
  run: 'run_0mjuohs00ojgdfvi800000_0mjuohs00ojgdfvi800000',
  thread: 'thr_0mjuohs00ojgdfvi800000',
};

/** Forged run, thread and command ids over the socket, beside users who talk. */
export async function forgesIds(row: Row, rounds: number): Promise<void> {
  await underTalk(row, rounds, async (harness, victim, thief) => {
    const own = await ask(victim, { type: 'chat', id: 'shared-id', content: 'what is 2 + 2?' });
    const { runId, threadId } = own['result'];
    const attempts: readonly (readonly [Message, Message])[] = [
      [
        { type: 'stop_agent', runId },
        { type: 'stop_agent', runId: MISSING.run },
      ],
      [
        { type: 'resolve_approval', runId, toolCallId: 'tcl_x', approved: true },
        { type: 'resolve_approval', runId: MISSING.run, toolCallId: 'tcl_x', approved: true },
      ],
      [
        { type: 'chat', threadId, content: 'hello' },
        { type: 'chat', threadId: MISSING.thread, content: 'hello' },
      ],
    ];
    for (const [wanted, missing] of attempts) {
      const [refused, unknown] = [await ask(thief, wanted), await ask(thief, missing)];
      if (refused.type !== 'command_rejected') throw new Error(`${wanted.type} was ${refused.type}`);
      const [a, b] = [refused['error'], unknown['error']].map((error) => JSON.stringify(error));
      if (a !== b) throw new Error(`${wanted.type}: ${a} for another's, ${b} for what is not there`);
    }
    // A command id is scoped to its user: with another it is simply a new one.
    const taken = await ask(thief, { type: 'chat', id: 'shared-id', content: 'what is 3 + 3?' });
    if (taken.type !== 'command_accepted' || taken['result'].runId === runId) {
      throw new Error('a command id reached over to another user');
    }
    await thief.until(
      'the end',
      (event) => event.type === 'agent_completed' && event.runId === taken['result'].runId,
    );
    if (textOf(thief.events, runId) !== '') throw new Error("the victim's answer came to the thief");
    await expectHttpRefuses(harness, { runId, threadId });
  });
}

/** Cursors of another user, of another log, ahead, below, and that are none. */
export async function forgesCursors(row: Row, rounds: number): Promise<void> {
  await underTalk(row, rounds, async (harness, victim, thief, users) => {
    const { result } = await ask(victim, { type: 'chat', content: 'what is 2 + 2?' });
    await victim.until('the end', ({ type, runId }) => type === 'agent_completed' && runId === result.runId);
    await ask(thief, { type: 'chat', content: 'what is 3 + 3?' });
    await thief.until('the end', ({ type }) => type === 'agent_completed');
    const stolen = victim.cursor;
    for (const resume of [
      stolen,
      { ...stolen, seq: 2 },
      { epoch: stolen.epoch, seq: stolen.seq + 1_000_000 },
      { epoch: 'another', seq: 1 },
      { epoch: stolen.epoch, seq: -1 },
      { epoch: stolen.epoch, seq: Number.NaN },
      { epoch: stolen.epoch, seq: 1.5 },
      { epoch: stolen.epoch, seq: 2 ** 53 },
      { epoch: stolen.epoch },
    ]) {
      const reader = harness.bare(users.thief, { resume });
      await reader.untilControl('caught_up');
      const foreign = victim.events.filter(({ id }) => reader.events.some((event) => event.id === id));
      if (foreign.length > 0) throw new Error(`${JSON.stringify(resume)} gave away ${foreign.length} events`);
      reader.cut();
    }
  });
}

async function underTalk(
  row: Row,
  rounds: number,
  trespass: (
    harness: Harness,
    victim: BareClient,
    thief: BareClient,
    users: { readonly victim: HttpUser; readonly thief: HttpUser },
  ) => Promise<void>,
): Promise<void> {
  await using harness = await createHarness();
  const conversation = new Conversation(await startTalkers(harness, NEIGHBOURS));
  for (let round = 0; round < rounds; round += 1) {
    const users = { victim: await harness.register(), thief: await harness.register() };
    const victim = harness.bare(users.victim);
    const thief = harness.bare(users.thief);
    await Promise.all([victim.untilControl('caught_up'), thief.untilControl('caught_up')]);
    await trespass(harness, victim, thief, users);
    row.round();
  }
  await conversation.over();
  row.audited(await harness.audit(), Number.POSITIVE_INFINITY);
}

interface Message {
  readonly type: string;
  readonly [field: string]: unknown;
}

let asked = 0;

async function ask(client: BareClient, message: Message) {
  asked += 1;
  const id = message['id'] ?? `ask-${asked}`;
  client.send({ ...message, id });
  return await client.until(
    `an answer to ${message.type}`,
    ({ type, ref }) => ref === id && (type === 'command_accepted' || type === 'command_rejected'),
  );
}

async function expectHttpRefuses(
  harness: Harness,
  { runId, threadId }: { readonly runId: string; readonly threadId: string },
): Promise<void> {
  const thief = await harness.register();
  for (const path of [`/api/runs/${runId}`, `/api/runs/${runId}/events`, `/api/threads/${threadId}`]) {
    const { status } = await thief.call('GET', path);
    if (status !== 404) throw new Error(`${path} was answered ${status}`);
  }
}
