import { describe, expect, it } from '@jest/globals';
import { createHarness, type Harness, type HttpUser, until } from '../harness/index.js';

describe('threads and runs', () => {
  it("[TH-1] are found by their owner alone: another user's are the same as missing ones", async () => {
    await using harness = await createHarness();
    const [owner, other] = [await harness.register(), await harness.register()];
    const { threadId, runId } = await ask(harness, owner, 'what is 1 + 1?');
    for (const [method, path, body, code] of [
      ['GET', `/api/threads/${threadId}`, undefined, 'THREAD_NOT_FOUND'],
      ['PATCH', `/api/threads/${threadId}`, { title: 'mine' }, 'THREAD_NOT_FOUND'],
      ['DELETE', `/api/threads/${threadId}`, undefined, 'THREAD_NOT_FOUND'],
      ['POST', `/api/threads/${threadId}/messages`, { content: 'hi' }, 'THREAD_NOT_FOUND'],
      ['GET', `/api/runs/${runId}`, undefined, 'RUN_NOT_FOUND'],
      ['GET', `/api/runs/${runId}/events`, undefined, 'RUN_NOT_FOUND'],
      ['POST', `/api/runs/${runId}/cancel`, undefined, 'RUN_NOT_FOUND'],
      ['GET', `/api/runs/${runId}/result`, undefined, 'NOT_FOUND'],
    ] as const) {
      const foreign = await other.call(method, path, body);
      const missing = await other.call(
        method,
        path.replace(/(thr|run)_[0-9a-z]{22}/, '$1_0mjuohs00ojgdfvi800000'),
        body,
      );
      expect([path, foreign.status, foreign.body.error.code]).toEqual([path, 404, code]);
      expect(missing.body.error).toMatchObject({ code, message: foreign.body.error.message });
    }
    expect((await other.call('GET', '/api/threads')).body.items).toEqual([]);
    expect((await owner.call('GET', '/api/threads')).body.items).toHaveLength(1);
  });

  it('[AG-4] a run goes on when its user has gone, and the answer is there on return', async () => {
    await using harness = await createHarness();
    const user = await harness.register();
    const { runId, threadId } = await ask(harness, user, 'count to 100 at 100 per second');
    await ended(user, runId);
    const { body } = await user.call('GET', `/api/threads/${threadId}`);
    expect(body.messages.items.at(-1)).toMatchObject({ role: 'assistant', run: { status: 'completed' } });
    expect(body.messages.items.at(-1).parts.at(-1).text).toMatch(/ 100$/);
    const events = (await user.call('GET', `/api/runs/${runId}/events`)).body.items as { type: string }[];
    expect([events[1]?.type, events.at(-1)?.type]).toEqual(['agent_started', 'agent_completed']);
  });

  it('[AG-5] stop ends a run within a second, from another tab, and once more is harmless', async () => {
    await using harness = await createHarness();
    const user = await harness.register();
    const tab = harness.bare(user);
    await tab.untilControl('caught_up');
    const { runId } = await ask(harness, user, 'wait 30 seconds');
    await tab.until('the tool', ({ type }) => type === 'tool_executing');
    const begun = performance.now();
    tab.send({ type: 'stop_agent', id: 'stop-1', runId });
    const end = await tab.until('the end', ({ type }) => type === 'agent_completed');
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(end['data'].status).toBe('cancelled');
    expect(tab.events.filter(({ type }) => type === 'tool_completed')[0]?.['data'].status).toBe('cancelled');
    tab.send({ type: 'stop_agent', id: 'stop-2', runId });
    const again = await tab.until('the second answer', (message) => message['ref'] === 'stop-2');
    expect(again).toMatchObject({ type: 'command_accepted', result: { runId, status: 'cancelled' } });
  });

  it('a command sent again, on another connection, is done once and answered the same', async () => {
    await using harness = await createHarness();
    const user = await harness.register();
    const first = harness.bare(user);
    await first.untilControl('caught_up');
    const message = { type: 'chat', id: 'once', content: 'what is 2 ^ 10?' };
    first.send(message);
    const answer = await first.untilControl('command_accepted');
    await first.until('the end', ({ type }) => type === 'agent_completed');
    const second = harness.bare(user);
    await second.untilControl('caught_up');
    second.send(message);
    expect((await second.untilControl('command_accepted'))['result']).toEqual(answer['result']);
    second.send({ ...message, content: 'something else' });
    expect((await second.untilControl('command_rejected'))['error'].code).toBe('COMMAND_ID_REUSED');
    expect((await user.call('GET', '/api/threads')).body.items).toHaveLength(1);
  });

  it('a busy thread refuses a second message, and a fourth run of a user is refused', async () => {
    await using harness = await createHarness();
    const user = await harness.register();
    const tab = harness.bare(user);
    await tab.untilControl('caught_up');
    const { threadId } = await ask(harness, user, 'wait 20 seconds');
    tab.send({ type: 'chat', id: 'busy', threadId, content: 'hello' });
    expect((await tab.until('busy', ({ ref }) => ref === 'busy'))['error'].code).toBe('THREAD_BUSY');
    await ask(harness, user, 'wait 20 seconds');
    const third = await ask(harness, user, 'wait 20 seconds');
    tab.send({ type: 'chat', id: 'fourth', content: 'hello' });
    expect((await tab.until('limit', ({ ref }) => ref === 'fourth'))['error'].code).toBe('RUN_LIMIT');
    for (const event of await runsOf(user)) await user.call('POST', `/api/runs/${event}/cancel`);
    await ended(user, third.runId);
  });

  it('a deleted thread is gone everywhere, its run ends first, and its events are erased', async () => {
    await using harness = await createHarness();
    const user = await harness.register();
    const tab = harness.bare(user);
    await tab.untilControl('caught_up');
    const { threadId, runId } = await ask(harness, user, 'count to 1000 at 100 per second');
    await tab.until('a delta', ({ type }) => type === 'agent_delta');
    expect((await user.call('DELETE', `/api/threads/${threadId}`)).status).toBe(204);
    await tab.until('the deletion', ({ type }) => type === 'thread_deleted');
    const kinds = tab.events.map(({ type }) => type);
    expect(kinds.indexOf('agent_completed')).toBeLessThan(kinds.indexOf('thread_deleted'));
    const reader = harness.bare(user, { resume: { seq: 0 } });
    await reader.untilControl('caught_up');
    expect(new Set(reader.events.map(({ type }) => type))).toEqual(new Set(['erased', 'thread_deleted']));
    expect((await user.call('GET', `/api/runs/${runId}`)).status).toBe(404);
  });

  it('what is too large for an event is stored, and fetched by its address', async () => {
    await using harness = await createHarness();
    const user = await harness.register();
    const tab = harness.bare(user);
    await tab.untilControl('caught_up');
    await ask(harness, user, 'write 400 KB');
    const end = await tab.until('the end', ({ type }) => type === 'agent_completed', 60_000);
    expect(end['data'].result).toBeUndefined();
    const { status, body } = await user.call('GET', end['data'].resultUrl);
    expect([status, String(body).length]).toEqual([200, 400_000]);
  });

  it('[BR-8] a foreign, forked or future cursor is reset with its reason, and goes on live', async () => {
    await using harness = await createHarness();
    const user = await harness.register();
    await ask(harness, user, 'what is 1 + 2?');
    const reader = harness.bare(user, { resume: { seq: 0 } });
    await reader.until('the end', ({ type }) => type === 'agent_completed');
    const { epoch, seq } = reader.cursor;
    for (const [resume, reason] of [
      [{ epoch: 'another', seq: 1 }, 'epoch'],
      [{ seq: 3 }, 'epoch'],
      [{ epoch, seq: seq + 5 }, 'ahead'],
      [{ epoch, seq: 2, id: 'evt_0mjuohs00ojgdfvi800000' }, 'fork'],
    ] as const) {
      const client = harness.bare(user, { resume });
      const established = await client.untilControl('connection_established');
      expect(established['resume']).toEqual({ mode: 'reset', reason, from: seq + 1 });
      await client.untilControl('caught_up');
      expect(client.events).toEqual([]);
    }
  });

  it('[BR-6] a client that opens a thread in the middle of a run gets the run so far, then the rest, once', async () => {
    await using harness = await createHarness();
    const user = await harness.register();
    const { threadId, runId } = await ask(harness, user, 'count to 300 at 100 per second');
    const first = harness.client(user);
    await first.connect();
    const snapshot = async () => (await user.call('GET', `/api/threads/${threadId}`)).body;
    await until(5_000, 'the first numbers', async () =>
      (await snapshot()).runs[0]?.parts.some((part: { text?: string }) => (part.text ?? '').length > 100),
    );
    const { applyRunEvent, answerText } = await import('@runwire/client');
    let view: Parameters<typeof applyRunEvent>[0];
    const finished = new Promise<void>((resolve) => {
      first.openThread({
        threadId,
        load: snapshot,
        onSnapshot: (loaded) => {
          view = loaded.runs[0];
        },
        onEvent: (event) => {
          view = applyRunEvent(view, event);
          if (event.type === 'agent_completed') resolve();
        },
      });
    });
    await finished;
    expect(view).toMatchObject({ runId, status: 'completed' });
    expect(answerText(view?.parts ?? [])).toBe(
      Array.from({ length: 300 }, (_, index) => index + 1).join(' '),
    );
  });
});

/** Asks over a connection of its own, which is cut when it was accepted. */
async function ask(
  harness: Harness,
  user: HttpUser,
  content: string,
): Promise<{ threadId: string; runId: string }> {
  const client = harness.bare(user);
  await client.untilControl('caught_up');
  client.send({ type: 'chat', content });
  const { result } = (await client.untilControl('command_accepted')) as unknown as {
    result: { threadId: string; runId: string };
  };
  client.cut();
  return result;
}

async function ended(user: HttpUser, runId: string): Promise<void> {
  await until(20_000, `the end of ${runId}`, async () => {
    const { body } = await user.call('GET', `/api/runs/${runId}`);
    return !['accepted', 'running'].includes(body.status);
  });
}

/** The open runs over all of the user's threads. */
async function runsOf(user: HttpUser): Promise<readonly string[]> {
  const { items } = (await user.call('GET', '/api/threads')).body as { items: { id: string }[] };
  const snapshots = await Promise.all(items.map(({ id }) => user.call('GET', `/api/threads/${id}`)));
  return snapshots.flatMap(({ body }) => (body.runs as { runId: string }[]).map(({ runId }) => runId));
}
