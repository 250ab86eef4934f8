import { describe, expect, it } from '@jest/globals';
import { defineAgent } from '@runwire/agent-handler';
import { createDeferred } from '@runwire/kernel';
import type { ClientMessageOf } from '@runwire/protocol';
import { ANNOUNCED, createHarness, forever, NOTHING } from './harness.js';

describe('a user message', () => {
  it('makes a thread, a message and a run, and tells of them under its command', async () => {
    const harness = createHarness();
    const userId = harness.ids.userId();
    const reply = await harness.say(userId, { id: 'c1', content: '  What is\n2 + 2?' });
    if ('rejected' in reply) throw new Error(reply.rejected.code);
    const { runId, threadId, messageId } = reply.accepted;
    await harness.clock.settle();
    const events = await harness.events(userId);
    expect(events.slice(0, 2)).toMatchObject([
      { type: 'thread_created', threadId, data: { title: 'What is' } },
      {
        type: 'message_added',
        threadId,
        runId,
        data: {
          messageId,
          role: 'user',
          parts: [{ type: 'text', text: '  What is\n2 + 2?' }],
          commandId: 'c1',
        },
      },
    ]);
    const repeat = await harness.log.append(userId, [{ type: 'thread_updated', threadId, data: {} }], {
      producer: { id: 'cmd:c1', attempt: 1, n: 1 },
    });
    expect(repeat.duplicate).toBe(true);
    expect(await harness.runs.pendingOutbox()).toEqual([]);
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('is answered after its events are on their way and before the run ends', async () => {
    const harness = createHarness({ agent: forever });
    const userId = harness.ids.userId();
    expect(await harness.say(userId)).toMatchObject({ accepted: {} });
    expect((await harness.types(userId)).slice(0, 2)).toEqual(ANNOUNCED);
    expect(harness.supervisor.activeRuns(userId)).toHaveLength(1);
  });

  const foreignThread = 'thr_of_another';
  const rejections: Record<string, [Partial<ClientMessageOf<'user_message'>>, string]> = {
    'without content': [{ content: '' }, 'EMPTY_MESSAGE'],
    'of white space': [{ content: ' \n\t ' }, 'EMPTY_MESSAGE'],
    'of blank parts': [{ content: [{ type: 'text', text: ' ' }] }, 'EMPTY_MESSAGE'],
    'of no parts': [{ content: [] }, 'EMPTY_MESSAGE'],
    'to an unknown agent': [{ agent: 'nobody' }, 'AGENT_NOT_FOUND'],
    'in a malformed thread': [{ threadId: 'nonsense' }, 'THREAD_NOT_FOUND'],
    "in another user's thread": [{ threadId: foreignThread }, 'THREAD_NOT_FOUND'],
    'in a thread named by a UUID that nobody has': [
      { threadId: '8f14e45f-ceea-467f-9b1d-5e1f4c1d2a3b' },
      'THREAD_NOT_FOUND',
    ],
  };
  for (const [name, [fields, code]] of Object.entries(rejections)) {
    it(`${name} is ${code}, which is remembered, and nothing happens`, async () => {
      const remembered: unknown[] = [];
      const harness = createHarness({
        runs: {
          async rememberCommand(userId, command, reply) {
            remembered.push(reply);
            return await harness.stores.runs.rememberCommand(userId, command, reply);
          },
        },
      });
      const userId = harness.ids.userId();
      const other = await harness.start(harness.ids.userId());
      await harness.clock.settle();
      const threadId = fields.threadId === foreignThread ? other.threadId : fields.threadId;
      const message = { ...fields, id: 'c1', ...(threadId === undefined ? {} : { threadId }) };
      const reply = await harness.say(userId, message);
      expect(reply).toMatchObject({ rejected: { code, retryable: false } });
      expect(await harness.say(userId, message)).toEqual(reply);
      expect(remembered).toEqual([reply]);
      expect(await harness.types(userId)).toEqual([]);
      expect(harness.counts()).toEqual(NOTHING);
    });
  }

  it('to an unknown agent is told which there are', async () => {
    const second = defineAgent({ name: 'second', description: 'Another.', run: forever });
    const harness = createHarness({ more: [second] });
    const reply = await harness.say(harness.ids.userId(), { agent: 'nobody' });
    expect(reply).toMatchObject({
      rejected: {
        message: 'There is no agent "nobody". The agents are: test, second.',
        details: { agents: ['test', 'second'] },
      },
    });
  });

  for (const onBusy of [undefined, 'reject', 'enqueue', 'interrupt'] as const) {
    it(`in a busy thread is THREAD_BUSY (onBusy: ${onBusy}), and may be sent again later`, async () => {
      const gate = createDeferred();
      const harness = createHarness({
        agent: async () => {
          await gate.promise;
          return { text: 'ok' };
        },
      });
      const userId = harness.ids.userId();
      const { threadId, runId } = await harness.start(userId);
      const message = { id: 'c2', threadId, ...(onBusy === undefined ? {} : { onBusy }) };
      const busy = await harness.say(userId, message);
      expect(busy).toMatchObject({ rejected: { code: 'THREAD_BUSY', retryable: true, details: { runId } } });
      gate.resolve();
      await harness.clock.settle();
      expect(await harness.say(userId, message)).toMatchObject({ accepted: { threadId } });
    });
  }

  it('that the store cannot take is INTERNAL with a reference, and its place is free', async () => {
    const harness = createHarness({
      runs: { acceptMessage: () => Promise.reject(new Error('secret cause')) },
    });
    const userId = harness.ids.userId();
    const reply = await harness.say(userId, { id: 'c1' });
    expect(reply).toMatchObject({
      rejected: { code: 'INTERNAL', retryable: true, details: { requestId: expect.stringMatching(/^req_/) } },
    });
    expect(JSON.stringify(reply)).not.toContain('secret');
    expect(harness.supervisor.stats()).toMatchObject({ active: 0, reserved: 0 });
  });
});

describe('a command', () => {
  it('that is repeated, also at once and by another connection, is done once and answered the same', async () => {
    const harness = createHarness();
    const userId = harness.ids.userId();
    const replies = await Promise.all([
      harness.say(userId, { id: 'c1' }),
      harness.say(userId, { id: 'c1' }),
      harness.say(userId, { id: 'c1' }),
    ]);
    await harness.clock.settle();
    replies.push(await harness.say(userId, { id: 'c1' }));
    expect(replies[0]).toMatchObject({ accepted: {} });
    for (const reply of replies) expect(reply).toEqual(replies[0]);
    expect(await harness.terminals(userId)).toHaveLength(1);
  });

  it('that is repeated is answered the same though no place is free', async () => {
    const harness = createHarness({ agent: forever, options: { maxRunsPerUser: 1 } });
    const userId = harness.ids.userId();
    const first = await harness.say(userId, { id: 'c1' });
    expect(await harness.say(userId, { id: 'c1' })).toEqual(first);
    expect(await harness.say(userId, { id: 'c2' })).toMatchObject({ rejected: { code: 'RUN_LIMIT' } });
  });

  it('with the id of another is COMMAND_ID_REUSED, while the first runs and after', async () => {
    const harness = createHarness();
    const userId = harness.ids.userId();
    const [, second] = await Promise.all([
      harness.say(userId, { id: 'c1', content: 'one' }),
      harness.say(userId, { id: 'c1', content: 'two' }),
    ]);
    expect(second).toMatchObject({ rejected: { code: 'COMMAND_ID_REUSED', retryable: false } });
    expect(await harness.say(userId, { id: 'c1', content: 'two' })).toEqual(second);
    const request = harness.request(userId);
    const runId = harness.ids.runId(harness.ids.threadId());
    expect(await harness.handler.stopAgent({ type: 'stop_agent', id: 'c1', runId }, request)).toEqual(second);
    expect(await harness.say(harness.ids.userId(), { id: 'c1', content: 'two' })).toMatchObject({
      accepted: {},
    });
  });

  it('is the same whatever the order of its fields', async () => {
    const harness = createHarness();
    const userId = harness.ids.userId();
    const first = await harness.say(userId, { id: 'c1', metadata: { a: 1, b: { c: 2, d: 3 } } });
    const second = await harness.say(userId, { metadata: { b: { d: 3, c: 2 }, a: 1 }, id: 'c1' });
    expect(second).toEqual(first);
  });

  it('waits 10 s for its first, then is COMMAND_PENDING', async () => {
    const gate = createDeferred();
    const harness = createHarness({
      runs: {
        async acceptMessage(message) {
          await gate.promise;
          return await harness.stores.runs.acceptMessage(message);
        },
      },
    });
    const userId = harness.ids.userId();
    const first = harness.say(userId, { id: 'c1' });
    const second = harness.say(userId, { id: 'c1' });
    let answered: unknown;
    void second.then((reply) => {
      answered = reply;
    });
    await harness.clock.advance(9_999);
    expect(answered).toBeUndefined();
    await harness.clock.advance(1);
    expect(answered).toMatchObject({ rejected: { code: 'COMMAND_PENDING', retryable: true } });
    gate.resolve();
    await harness.clock.settle();
    expect(await first).toMatchObject({ accepted: {} });
  });

  it('[CX-7] whose asker is gone before the commit does nothing, and its repeat does it', async () => {
    const recalled = createDeferred();
    const harness = createHarness({
      runs: {
        async recallCommand(userId, command) {
          await recalled.promise;
          return await harness.stores.runs.recallCommand(userId, command);
        },
      },
    });
    const userId = harness.ids.userId();
    const gone = new AbortController();
    const message = { type: 'user_message', id: 'c1', content: 'Hello.' } as const;
    const first = harness.handler.userMessage(message, harness.request(userId, gone.signal));
    const second = harness.handler.userMessage(message, harness.request(userId));
    gone.abort();
    recalled.resolve();
    await harness.clock.settle();
    expect(await first).toMatchObject({ rejected: { code: 'NOT_READY', retryable: true } });
    expect(await second).toMatchObject({ accepted: {} });
    expect(await harness.terminals(userId)).toHaveLength(1);
    expect(harness.counts()).toEqual(NOTHING);
  });

  it('[CX-7] whose asker goes while it commits goes on', async () => {
    const gate = createDeferred();
    const harness = createHarness({
      runs: {
        async acceptMessage(message) {
          await gate.promise;
          return await harness.stores.runs.acceptMessage(message);
        },
      },
    });
    const userId = harness.ids.userId();
    const gone = new AbortController();
    const message = { type: 'user_message', id: 'c1', content: 'Hello.' } as const;
    const first = harness.handler.userMessage(message, harness.request(userId, gone.signal));
    await harness.clock.settle();
    gone.abort();
    gate.resolve();
    await harness.clock.settle();
    expect(await first).toMatchObject({ accepted: {} });
    expect((await harness.terminals(userId))[0]?.status).toBe('completed');
  });
});

describe('stop_agent', () => {
  const stop =
    (harness: ReturnType<typeof createHarness>, userId: Parameters<typeof harness.start>[0]) =>
    async (runId: string, id?: string) => {
      const message = { type: 'stop_agent', runId, ...(id === undefined ? {} : { id }) } as const;
      const reply = harness.handler.stopAgent(message, harness.request(userId));
      await harness.clock.advance(1_000);
      return await reply;
    };

  it('[AG-5] ends the run from any connection of its user, and twice is harmless', async () => {
    const harness = createHarness({ agent: forever });
    const userId = harness.ids.userId();
    const { runId } = await harness.start(userId);
    const stopIt = stop(harness, userId);
    const expected = { accepted: { runId, status: 'cancelled' } };
    expect(await stopIt(runId, 'c1')).toEqual(expected);
    expect(await stopIt(runId, 'c1')).toEqual(expected);
    expect(await stopIt(runId, 'c2')).toEqual(expected);
    expect(await harness.terminals(userId)).toHaveLength(1);
  });

  it("is RUN_NOT_FOUND for another user's run, a missing one and nonsense alike", async () => {
    const harness = createHarness({ agent: forever });
    const [userId, owner] = [harness.ids.userId(), harness.ids.userId()];
    const { runId } = await harness.start(owner);
    const stopIt = stop(harness, userId);
    const foreign = await stopIt(runId);
    expect(foreign).toMatchObject({ rejected: { code: 'RUN_NOT_FOUND' } });
    expect(await stopIt(harness.ids.runId(harness.ids.threadId()))).toEqual(foreign);
    expect(await stopIt('nonsense')).toEqual(foreign);
    expect(harness.supervisor.activeRuns(owner)).toEqual([runId]);
  });
});

describe('commands that this version does not take', () => {
  it('are start_agent, which says what to send instead', async () => {
    const harness = createHarness();
    const message = { type: 'start_agent', id: 'c1', agent: 'test', input: 'x' } as const;
    const reply = await harness.handler.startAgent(message, harness.request(harness.ids.userId()));
    expect(reply).toMatchObject({
      rejected: { code: 'UNKNOWN_MESSAGE_TYPE', message: expect.stringContaining('user_message') },
    });
  });

  it('are approvals: none is pending for an own run, and any other run is not found', async () => {
    const harness = createHarness();
    const userId = harness.ids.userId();
    const { runId } = await harness.start(userId);
    const message = { type: 'resolve_approval', runId, toolCallId: 'tcl_1', approved: true } as const;
    const ask = (asker: typeof userId) => harness.handler.resolveApproval(message, harness.request(asker));
    expect(await ask(userId)).toMatchObject({ rejected: { code: 'APPROVAL_NOT_PENDING' } });
    expect(await ask(harness.ids.userId())).toMatchObject({ rejected: { code: 'RUN_NOT_FOUND' } });
  });
});
