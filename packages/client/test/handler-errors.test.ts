import { describe, expect, it } from '@jest/globals';
import type { HandlerErrorPolicy, HandlerFailure, SavedState } from '../src/index.js';
import { thinking, thoughts } from './support/drafts.js';
import { createHarness, type Harness, seqs, upTo } from './support/harness.js';

/** A handler that throws at an event, so often. */
function failAt(h: Harness, seq: number, times = Number.POSITIVE_INFINITY): { readonly calls: number[] } {
  const calls: number[] = [];
  let left = times;
  h.client.onEvent((event) => {
    calls.push(event.seq);
    if (event.seq !== seq || left === 0) return;
    left -= 1;
    throw new Error('broken');
  });
  return { calls };
}

/** A handler that takes everything. */
function follow(h: Harness): number[] {
  const seen: number[] = [];
  h.client.onEvent(({ seq }) => seen.push(seq));
  return seen;
}

describe('a handler that throws', () => {
  it('[BR-4] stops the client before that event by default: nothing is acked, stored or shown as had', async () => {
    const saves: SavedState[] = [];
    const storage = { load: () => null, save: (saved: SavedState) => saves.push(saved), state: () => 0 };
    await using h = createHarness({ storage });
    failAt(h, 3);
    const behind = follow(h);
    await h.connect();
    h.server.append(...thoughts(2));
    await h.clock.advance(1_000);
    const connection = h.server.last;
    h.server.append(...thoughts(3));
    await h.clock.advance(60_000);
    expect(h.client.state).toEqual({ kind: 'stopped', code: 0, reason: 'a handler threw', resumable: true });
    expect(h.client.cursor?.seq).toBe(2);
    expect(connection.acked).toBe(2);
    expect(connection.open).toBe(false);
    expect(saves.map(({ cursor }) => cursor.seq)).toEqual([2]);
    expect(behind).toEqual([1, 2]);
    expect(h.problems).toMatchObject([{ code: 'HANDLER_FAILED', event: { seq: 3 } }]);
    expect(h.client.stats).toMatchObject({ applied: 2, skipped: 0 });
  });

  it('leaves what was stored before it, since the state it broke off in belongs to no cursor', async () => {
    const saves: SavedState[] = [];
    const storage = { load: () => null, save: (saved: SavedState) => saves.push(saved), state: () => 0 };
    await using h = createHarness({ storage, onHandlerError: 'retry' });
    failAt(h, 3, 1);
    await h.connect();
    h.server.append(...thoughts(3));
    await h.clock.advance(499);
    expect(saves).toEqual([]);
    await h.clock.advance(1_000);
    expect(saves.map(({ cursor }) => cursor.seq)).toEqual([3]);
  });

  it('is tried again by connect, and every handler gets each event once', async () => {
    await using h = createHarness();
    const failing = failAt(h, 2, 1);
    const behind = follow(h);
    await h.connect();
    h.server.append(...thoughts(3));
    await h.clock.settle();
    expect(h.applied).toHaveLength(2);
    h.server.append(thinking('while stopped'));
    await h.connect();
    expect(seqs(h.applied)).toEqual(upTo(4));
    expect(failing.calls).toEqual([1, 2, 2, 3, 4]);
    expect(behind).toEqual(upTo(4));
    await h.clock.advance(1_000);
    expect(h.server.last.acked).toBe(4);
  });

  it('stops the client again when it still throws, and connect says so', async () => {
    await using h = createHarness();
    failAt(h, 1);
    await h.connect();
    h.server.append(thinking('a'));
    const again = expect(h.client.connect()).rejects.toMatchObject({ code: 'CLIENT_STOPPED' });
    await h.clock.settle();
    await again;
    expect(h.server.open).toEqual([]);
    await expect(h.client.send({ content: 'x' })).rejects.toMatchObject({ code: 'CLIENT_STOPPED' });
  });

  it('keeps commands waiting while the client is stopped, however often connect is tried', async () => {
    await using h = createHarness();
    failAt(h, 1);
    h.server.onMessage = ({ type }) => type === 'user_message';
    await h.connect();
    let code = '';
    h.client.send({ content: 'x' }).catch((error: { code: string }) => {
      code = error.code;
    });
    h.server.append(thinking('a'));
    h.client.connect().catch(() => undefined);
    await h.clock.advance(600_000);
    expect(code).toBe('');
    expect(h.client.pendingCommands).toHaveLength(1);
  });

  it('can be taken away while the client is stopped', async () => {
    await using h = createHarness();
    const undo = h.client.on('agent_thinking', () => {
      throw new Error('broken');
    });
    await h.connect();
    h.server.append(...thoughts(2));
    undo();
    await h.connect();
    expect(seqs(h.applied)).toEqual([1, 2]);
  });

  it('stops the client also while it connects for the first time', async () => {
    await using h = createHarness({ start: 'beginning' });
    failAt(h, 2);
    h.server.append(...thoughts(3));
    const refused = expect(h.client.connect()).rejects.toMatchObject({ code: 'CLIENT_STOPPED' });
    await h.clock.settle();
    await refused;
    expect(h.client.cursor?.seq).toBe(1);
  });

  it('delays the events behind its own, also in iterators and open threads', async () => {
    await using h = createHarness();
    failAt(h, 1, 1);
    const events = h.client.events();
    const shown: number[] = [];
    h.client.openThread({
      threadId: 'thr_1',
      load: async () => ({ cursor: { epoch: 'epoch_1', seq: 0 } }),
      onSnapshot: () => undefined,
      onEvent: ({ seq }) => shown.push(seq),
    });
    await h.connect();
    h.server.append(...thoughts(2));
    await h.clock.settle();
    expect(shown).toEqual([]);
    await h.connect();
    expect(shown).toEqual([1, 2]);
    expect((await events.next()).value?.seq).toBe(1);
  });

  it('is passed over by skip, reported and counted', async () => {
    await using h = createHarness({ onHandlerError: 'skip' });
    const failing = failAt(h, 2);
    const behind = follow(h);
    await h.connect();
    h.server.append(...thoughts(3));
    await h.clock.advance(1_000);
    expect(failing.calls).toEqual([1, 2, 3]);
    expect(behind).toEqual([1, 2, 3]);
    expect(h.client.stats).toMatchObject({ applied: 3, skipped: 1 });
    expect(h.problems.map(({ code }) => code)).toEqual(['HANDLER_FAILED']);
    expect(h.server.last.acked).toBe(3);
  });

  it('is tried again by retry after 0.5, 1 and 2 s, while delivery and acks pause', async () => {
    await using h = createHarness({ onHandlerError: 'retry' });
    const failing = failAt(h, 2, 3);
    const behind = follow(h);
    await h.connect();
    h.server.append(...thoughts(4));
    for (const [delayMs, calls] of [
      [499, 1],
      [1, 2],
      [999, 2],
      [1, 3],
      [1_999, 3],
    ] as const) {
      await h.clock.advance(delayMs);
      expect(failing.calls.filter((seq) => seq === 2)).toHaveLength(calls);
    }
    expect(h.server.last.acked).toBe(1);
    expect(behind).toEqual([1]);
    await h.clock.advance(1);
    expect(h.client.state.kind).toBe('live');
    expect(behind).toEqual(upTo(4));
    await h.clock.advance(1_000);
    expect(h.server.last.acked).toBe(4);
  });

  it('stops the client when retry does not help', async () => {
    await using h = createHarness({ onHandlerError: 'retry' });
    const failing = failAt(h, 1);
    await h.connect();
    h.server.append(thinking('a'));
    await h.clock.advance(3_499);
    expect(h.client.state.kind).toBe('live');
    await h.clock.advance(1);
    expect(failing.calls).toHaveLength(4);
    expect(h.client.state).toMatchObject({ kind: 'stopped', code: 0 });
  });

  it('is tried again over a drop, and forgotten with a reset', async () => {
    await using h = createHarness({ onHandlerError: 'retry' });
    failAt(h, 1, 2);
    await h.connect();
    h.server.append(thinking('a'));
    h.server.last.close(1006);
    h.server.append(thinking('b'));
    await h.clock.advance(10_000);
    expect(seqs(h.applied)).toEqual([1, 2]);
    await using other = createHarness({ onHandlerError: 'retry' });
    const failing = failAt(other, 1);
    await other.connect();
    other.server.append(thinking('a'));
    other.server.last.control({ type: 'reset', reason: 'fork', stream: other.server.stream() });
    other.server.append(thinking('b'));
    await other.clock.advance(60_000);
    expect(failing.calls).toEqual([1, 2]);
    expect(other.client.state.kind).toBe('live');
  });

  it('is judged by a function with the event, the cause and how often it failed', async () => {
    const failures: HandlerFailure[] = [];
    const onHandlerError = (failure: HandlerFailure): HandlerErrorPolicy => {
      failures.push(failure);
      return failure.attempt < 3 ? 'retry' : 'skip';
    };
    await using h = createHarness({ onHandlerError });
    failAt(h, 1);
    await h.connect();
    h.server.append(...thoughts(2));
    await h.clock.advance(10_000);
    expect(failures.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(failures[0]).toMatchObject({ event: { seq: 1 }, cause: { message: 'broken' } });
    expect(seqs(h.applied)).toEqual([1, 2]);
  });

  it('stops the client when the function that judges throws', async () => {
    const onHandlerError = (): HandlerErrorPolicy => {
      throw new Error('no opinion');
    };
    await using h = createHarness({ onHandlerError });
    failAt(h, 1);
    await h.connect();
    h.server.append(thinking('a'));
    expect(h.client.state).toMatchObject({ kind: 'stopped', code: 0 });
  });

  it('leaves nothing behind when the client is closed before the next try, or by the handler itself', async () => {
    await using h = createHarness({ onHandlerError: 'retry' });
    failAt(h, 1);
    await h.connect();
    h.server.append(thinking('a'));
    await h.client.close();
    await using other = createHarness();
    other.client.onEvent(() => {
      void other.client.close();
      throw new Error('broken');
    });
    await other.connect();
    other.server.append(thinking('a'));
    expect(other.client.state).toMatchObject({ kind: 'stopped', code: 1000 });
  });

  it('holds no more than 10,000 events back, and asks for the rest again', async () => {
    await using h = createHarness({ onHandlerError: 'retry' });
    failAt(h, 1, 1);
    await h.connect();
    h.server.append(...thoughts(10_050));
    await h.clock.advance(500);
    expect(h.server.last.of('resync')).toHaveLength(1);
    expect(seqs(h.applied)).toEqual(upTo(10_050));
  });
});

describe('a view of a thread that throws', () => {
  it('is made again of a snapshot, with growing delays, and delivery goes on', async () => {
    await using h = createHarness();
    const log: string[] = [];
    let fails = true;
    h.client.openThread({
      threadId: 'thr_1',
      load: async () => ({ cursor: { epoch: 'epoch_1', seq: h.server.head } }),
      onSnapshot: ({ cursor }) => log.push(`snapshot ${cursor.seq}`),
      onEvent: ({ seq }) => {
        log.push(`${seq}`);
        if (fails) throw new Error('broken');
      },
    });
    await h.connect();
    h.server.append(thinking('a'), thinking('b'));
    fails = false;
    expect(log).toEqual(['snapshot 0', '1']);
    await h.clock.advance(500);
    h.server.append(thinking('c'));
    expect(log).toEqual(['snapshot 0', '1', 'snapshot 2', '3']);
    expect(seqs(h.applied)).toEqual([1, 2, 3]);
    expect(h.problems.map(({ code }) => code)).toEqual(['LISTENER_FAILED']);
  });

  it('is loaded again when it cannot show the snapshot', async () => {
    await using h = createHarness();
    let shown = 0;
    h.client.openThread({
      threadId: 'thr_1',
      load: async () => ({ cursor: { epoch: 'epoch_1', seq: 0 } }),
      onSnapshot: () => {
        shown += 1;
        if (shown < 4) throw new Error('broken');
      },
      onEvent: () => undefined,
    });
    await h.clock.advance(500);
    expect(shown).toBe(2);
    await h.clock.advance(10_000);
    expect(shown).toBe(4);
  });
});
