import { describe, expect, it } from '@jest/globals';
import { rejection } from './support/fake-server.js';
import { createHarness } from './support/harness.js';

describe('commands', () => {
  it('settle with the answer of the server', async () => {
    await using h = createHarness();
    await h.connect();
    expect(await h.client.send({ content: 'hi', threadId: 'thr_1' })).toEqual({
      runId: 'run_1',
      threadId: 'thr_1',
      messageId: 'msg_1',
    });
    expect(await h.client.stop('run_1')).toEqual({ runId: 'run_1', status: 'cancelled' });
    const decision = { runId: 'run_1', toolCallId: 'tool_1', approved: true };
    expect(await h.client.approve(decision)).toEqual({ toolCallId: 'tool_1' });
    expect(h.server.last.of('user_message')[0]?.id).toMatch(/^[\w-]{1,64}$/);
  });

  it('wait for a connection', async () => {
    await using h = createHarness();
    const sent = h.client.send({ content: 'hi' });
    await h.connect();
    expect(await sent).toMatchObject({ runId: 'run_1' });
  });

  it('keep their id over reconnects, and are done once', async () => {
    await using h = createHarness();
    await h.connect();
    h.server.onMessage = (message, connection) => {
      if (message.type !== 'user_message') return false;
      // The command is done, but the answer is lost.
      connection.dead = true;
      queueMicrotask(() => connection.close(1006));
      h.server.onMessage = undefined;
      return false;
    };
    const sent = h.client.send({ content: 'hi' });
    await h.clock.advance(5_000);
    expect(await sent).toMatchObject({ runId: 'run_1' });
    const ids = h.server.connections
      .flatMap((connection) => connection.of('user_message'))
      .map(({ id }) => id);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    expect(h.server.executed).toHaveLength(1);
  });

  it('reject with COMMAND_UNANSWERED after the connected time, not counting the time without', async () => {
    await using h = createHarness();
    await h.connect();
    h.server.onMessage = (message) => message.type === 'user_message';
    let code = '';
    h.client.send({ content: 'hi' }).catch((error: { code: string }) => {
      code = error.code;
    });
    await h.clock.advance(30_000);
    h.page.give('offline');
    h.server.last.close(1006);
    await h.clock.advance(600_000);
    h.page.give('online');
    await h.clock.advance(29_900);
    expect(code).toBe('');
    await h.clock.advance(200);
    expect(code).toBe('COMMAND_UNANSWERED');
  });

  it('try again after COMMAND_PENDING and NOT_READY, and once after RATE_LIMITED', async () => {
    await using h = createHarness();
    await h.connect();
    const refusals = ['COMMAND_PENDING', 'NOT_READY', 'RATE_LIMITED'] as const;
    let asked = 0;
    h.server.onMessage = (message, connection) => {
      const code = refusals[asked];
      if (message.type !== 'user_message' || code === undefined) return false;
      asked += 1;
      connection.control(rejection(message.id ?? null, code, 2_000));
      return true;
    };
    const sent = h.client.send({ content: 'hi' });
    await h.clock.advance(6_000);
    expect(await sent).toMatchObject({ runId: 'run_1' });
    expect(h.server.last.of('user_message')).toHaveLength(4);
  });

  it('leave a second RATE_LIMITED, one beyond the deadline, and every other rejection to the caller', async () => {
    await using h = createHarness();
    await h.connect();
    const failing = async (code: 'RATE_LIMITED' | 'THREAD_BUSY', retryAfterMs?: number): Promise<unknown> => {
      h.server.onMessage = (message, connection) => {
        if (message.type !== 'user_message') return false;
        connection.control(rejection(message.id ?? null, code, retryAfterMs));
        return true;
      };
      const outcome = h.client.send({ content: 'hi' }).catch((error: unknown) => error);
      await h.clock.advance(10_000);
      return outcome;
    };
    expect(await failing('RATE_LIMITED', 2_000)).toMatchObject({ code: 'RATE_LIMITED' });
    expect(h.server.last.of('user_message')).toHaveLength(2);
    const details = { retryable: true, retryAfterMs: 120_000 };
    expect(await failing('RATE_LIMITED', 120_000)).toMatchObject({ code: 'RATE_LIMITED', details });
    expect(await failing('THREAD_BUSY')).toMatchObject({ code: 'THREAD_BUSY', details: { retryable: true } });
    expect(h.server.last.of('user_message')).toHaveLength(4);
  });

  it('reject beyond the number that may be pending', async () => {
    await using h = createHarness({ maxPendingCommands: 2 });
    const outcomes = [1, 2].map(() => h.client.send({ content: 'x' }).catch((error: unknown) => error));
    await expect(h.client.send({ content: 'x' })).rejects.toMatchObject({ code: 'TOO_MANY_PENDING' });
    await h.client.close();
    for (const outcome of outcomes) expect(await outcome).toMatchObject({ code: 'CLIENT_CLOSED' });
  });

  it('reject what is too large for the server, counted in bytes, without sending it', async () => {
    await using h = createHarness();
    h.server.maxMessageBytes = 1_000;
    await h.connect();
    await expect(h.client.send({ content: 'ä'.repeat(490) })).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
    });
    expect(h.server.last.received).toEqual([]);
    await h.client.send({ content: 'a'.repeat(490) });
  });

  it('report a rejection that belongs to none', async () => {
    await using h = createHarness();
    await h.connect();
    h.server.last.control(rejection(null, 'EMPTY_MESSAGE'));
    h.server.last.control({ type: 'error', code: 'INTERNAL', message: 'id 7', retryable: true });
    expect(h.problems.map(({ code }) => code)).toEqual(['EMPTY_MESSAGE', 'INTERNAL']);
  });
});
