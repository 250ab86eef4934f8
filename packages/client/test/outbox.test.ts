import { describe, expect, it } from '@jest/globals';
import type { CommandOutbox, PendingCommand } from '../src/index.js';
import { rejection } from './support/fake-server.js';
import { createHarness, type Harness } from './support/harness.js';

/** An outbox as a page keeps it: text that outlives the client. */
function createOutbox(): CommandOutbox & { text: string | null } {
  return {
    text: null,
    load() {
      return this.text === null ? null : (JSON.parse(this.text) as PendingCommand[]);
    },
    save(commands) {
      this.text = JSON.stringify(commands);
    },
  };
}

/** The contents of the messages that wait. */
function contents(commands: readonly PendingCommand[]): unknown[] {
  return commands.map(({ message }) => Reflect.get(message, 'content'));
}

/** Starts to send, whatever becomes of it. */
function send(h: Harness, ...texts: string[]): { readonly codes: string[] } {
  const codes: string[] = [];
  for (const content of texts) {
    h.client.send({ content, threadId: 'thr_1' }).then(
      () => codes.push('accepted'),
      (error: { code: string }) => codes.push(error.code),
    );
  }
  return { codes };
}

describe('commands without a connection', () => {
  it('are kept and shown, and go out in order under their ids', async () => {
    await using h = createHarness();
    const lists: unknown[] = [];
    h.client.onPendingCommands((commands) => lists.push(contents(commands)));
    const sent = send(h, 'a', 'b', 'c');
    const kept = h.client.pendingCommands;
    expect(contents(kept)).toEqual(['a', 'b', 'c']);
    expect(kept.every(({ sentAtMs }) => sentAtMs === undefined)).toBe(true);
    expect(kept[0]?.message).toEqual({ type: 'user_message', content: 'a', threadId: 'thr_1' });
    await h.connect();
    expect(sent.codes).toEqual(['accepted', 'accepted', 'accepted']);
    expect(h.server.executed).toEqual(kept.map(({ id }) => id));
    expect(h.client.pendingCommands).toEqual([]);
    expect(lists.slice(0, 3)).toEqual([['a'], ['a', 'b'], ['a', 'b', 'c']]);
    expect(lists.at(-1)).toEqual([]);
  });

  it('are the same list until something changes', async () => {
    await using h = createHarness();
    send(h, 'a');
    const list = h.client.pendingCommands;
    expect(h.client.pendingCommands).toBe(list);
    send(h, 'b');
    expect(h.client.pendingCommands).not.toBe(list);
    expect(list).toHaveLength(1);
  });

  it('are as they were given, whatever is done to the message afterwards', async () => {
    await using h = createHarness();
    const message = { content: 'before' };
    void h.client.send(message).catch(() => undefined);
    message.content = 'after';
    expect(contents(h.client.pendingCommands)).toEqual(['before']);
    await h.connect();
    expect(h.server.last.of('user_message')[0]?.content).toBe('before');
  });

  it('are refused beyond the number that may be pending', async () => {
    await using h = createHarness({ maxPendingCommands: 3 });
    const sent = send(h, 'a', 'b', 'c', 'd');
    await h.clock.settle();
    expect(sent.codes).toEqual(['TOO_MANY_PENDING']);
    expect(contents(h.client.pendingCommands)).toEqual(['a', 'b', 'c']);
  });

  it('can be taken back until they are sent', async () => {
    await using h = createHarness();
    const sent = send(h, 'a', 'b');
    const [first, second] = h.client.pendingCommands;
    expect(h.client.cancelCommand(first?.id ?? '')).toBe(true);
    expect(h.client.cancelCommand(first?.id ?? '')).toBe(false);
    await h.clock.settle();
    expect(sent.codes).toEqual(['COMMAND_CANCELLED']);
    h.server.onMessage = () => true;
    await h.connect();
    expect(h.client.pendingCommands).toEqual([{ ...second, sentAtMs: h.clock.nowMs() }]);
    expect(h.client.cancelCommand(second?.id ?? '')).toBe(false);
    expect(h.server.last.of('user_message')).toHaveLength(1);
    h.server.last.close(1006);
    expect(h.client.cancelCommand(second?.id ?? '')).toBe(false);
  });

  it('wait over a stop that the user can end, and are told of one that is final', async () => {
    await using h = createHarness();
    await h.connect();
    h.server.onMessage = () => true;
    const sent = send(h, 'a');
    h.server.last.close(4409);
    await h.clock.settle();
    expect(sent.codes).toEqual([]);
    expect(contents(h.client.pendingCommands)).toEqual(['a']);
    h.server.onMessage = undefined;
    await h.connect();
    expect(sent.codes).toEqual(['accepted']);
    h.server.onMessage = () => true;
    const lost = send(h, 'b');
    h.server.last.close(4403);
    await h.clock.settle();
    expect(lost.codes).toEqual(['CLIENT_STOPPED']);
    expect(h.client.pendingCommands).toEqual([]);
  });

  it('are not repeated a day after they were sent: the server may have forgotten their ids', async () => {
    await using h = createHarness();
    await h.connect();
    h.server.onMessage = () => true;
    const sent = send(h, 'a');
    h.page.give('offline');
    h.server.last.close(1006);
    const fresh = send(h, 'b');
    h.clock.jumpWallClock(86_400_000);
    h.server.onMessage = undefined;
    h.page.give('online');
    await h.clock.settle();
    await h.clock.advance(1);
    expect(sent.codes).toEqual(['COMMAND_UNANSWERED']);
    expect(fresh.codes).toEqual(['accepted']);
    expect(h.server.last.of('user_message').map(({ content }) => content)).toEqual(['b']);
  });

  it('are repeated until then', async () => {
    await using h = createHarness();
    await h.connect();
    h.server.onMessage = () => true;
    const sent = send(h, 'a');
    h.page.give('offline');
    h.server.last.close(1006);
    h.clock.jumpWallClock(86_399_999);
    h.server.onMessage = undefined;
    h.page.give('online');
    await h.clock.settle();
    expect(sent.codes).toEqual(['accepted']);
  });
});

describe('an outbox', () => {
  it('repeats over a reload what had no answer, under the same id, and it is done once', async () => {
    const outbox = createOutbox();
    await using h = createHarness({ outbox });
    await h.connect();
    // Done, but the page is gone before the answer.
    h.server.onMessage = (_, connection) => {
      connection.dead = true;
      return false;
    };
    const sent = send(h, 'a');
    await h.clock.settle();
    const [saved] = outbox.load() ?? [];
    expect(saved).toMatchObject({ sentAtMs: h.clock.nowMs(), message: { content: 'a' } });
    send(h, 'b');
    await h.client.close();
    await h.clock.settle();
    expect(sent.codes).toEqual(['CLIENT_CLOSED']);
    h.server.onMessage = undefined;

    await using again = createHarness({ outbox }, h.server);
    expect(contents(again.client.pendingCommands)).toEqual(['a', 'b']);
    await again.connect();
    expect(again.client.pendingCommands).toEqual([]);
    expect(outbox.load()).toEqual([]);
    const repeated = h.server.last.of('user_message').map(({ id }) => id);
    expect(repeated[0]).toBe(saved?.id);
    expect(h.server.executed).toHaveLength(2);
  });

  it('is in order: what was kept goes before what is new', async () => {
    const outbox = createOutbox();
    outbox.save([{ id: 'old-1', message: { type: 'user_message', content: 'a' } }]);
    await using h = createHarness({ outbox });
    send(h, 'b');
    await h.connect();
    expect(h.server.last.of('user_message').map(({ content }) => content)).toEqual(['a', 'b']);
  });

  it('tells of a kept command that is rejected, since nobody else is told', async () => {
    const outbox = createOutbox();
    const kept = { id: 'old-1', message: { type: 'user_message', content: 'a' } } as const;
    outbox.save([kept]);
    await using h = createHarness({ outbox });
    h.server.onMessage = (message, connection) => {
      if (message.type !== 'user_message') return false;
      connection.control(rejection(message.id ?? null, 'THREAD_BUSY'));
      return true;
    };
    await h.connect();
    const cause = { code: 'THREAD_BUSY', details: { retryable: true } };
    expect(h.problems).toMatchObject([{ code: 'THREAD_BUSY', cause, command: kept }]);
    expect(outbox.load()).toEqual([]);
  });

  it('tells nobody of a kept command that is taken back', async () => {
    const outbox = createOutbox();
    outbox.save([{ id: 'old-1', message: { type: 'user_message', content: 'a' } }]);
    await using h = createHarness({ outbox });
    expect(h.client.cancelCommand('old-1')).toBe(true);
    await h.connect();
    expect(h.problems).toEqual([]);
    expect(outbox.load()).toEqual([]);
    expect(h.server.executed).toEqual([]);
  });

  it('loses what a final stop rejected, so that nothing told as not done is done later', async () => {
    const outbox = createOutbox();
    await using h = createHarness({ outbox });
    const sent = send(h, 'a');
    h.server.door = () => 4403;
    h.client.connect().catch(() => undefined);
    await h.clock.settle();
    expect(sent.codes).toEqual(['CLIENT_STOPPED']);
    await h.client.close();
    expect(outbox.load()).toEqual([]);
  });

  it('gives back no more than may be pending', async () => {
    const outbox = createOutbox();
    const message = { type: 'user_message', content: 'x' } as const;
    outbox.save(['1', '2', '3'].map((id) => ({ id, message })));
    await using h = createHarness({ outbox, maxPendingCommands: 2 });
    expect(h.client.pendingCommands.map(({ id }) => id)).toEqual(['1', '2']);
    await expect(h.client.send({ content: 'x' })).rejects.toMatchObject({ code: 'TOO_MANY_PENDING' });
  });

  it('that throws is reported, and the commands go their way', async () => {
    const outbox: CommandOutbox = {
      load: () => null,
      save: () => {
        throw new Error('full');
      },
    };
    await using h = createHarness({ outbox });
    await h.connect();
    await h.client.send({ content: 'x' });
    expect(new Set(h.problems.map(({ code }) => code))).toEqual(new Set(['STORAGE_FAILED']));
    expect(h.server.executed).toHaveLength(1);
  });

  it('sends what it cannot judge, and drops what the server refuses', async () => {
    const outbox = createOutbox();
    outbox.text = '[{"id":"odd-1","message":{"type":"user_message","content":""}}]';
    await using h = createHarness({ outbox });
    h.server.onMessage = (message, connection) => {
      connection.control(rejection(Reflect.get(message, 'id') as string, 'EMPTY_MESSAGE'));
      return true;
    };
    await h.connect();
    expect(h.problems).toMatchObject([{ code: 'EMPTY_MESSAGE', command: { id: 'odd-1' } }]);
    expect(outbox.load()).toEqual([]);
  });
});
