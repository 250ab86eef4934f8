import { describe, expect, it } from '@jest/globals';
import type { Cursor, ResetReason, RunwireEvent } from '@runwire/protocol';
import type { SavedState, ThreadView } from '../src/index.js';
import { delta, started, thinking, thoughts } from './support/drafts.js';
import { createHarness, type Harness, seqs, upTo } from './support/harness.js';

/** A promise and its functions. */
function pending<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
} {
  let settle: { resolve: (value: T) => void; reject: (error: unknown) => void } | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, resolve: (value) => settle?.resolve(value), reject: (error) => settle?.reject(error) };
}

describe('reset', () => {
  it('[BR-8] recovers from a trimmed, foreign, overtaken and forked cursor', async () => {
    const breaks: Record<ResetReason, (h: Harness) => void> = {
      epoch: ({ server }) => server.restartLog('epoch_2'),
      trimmed: ({ server }) => {
        server.append(...thoughts(9));
        server.first = 8;
      },
      ahead: ({ server }) => void server.log.splice(1),
      fork: ({ server }) => {
        server.log.splice(1);
        server.append(started(), started('msg_2', 2));
        server.log.splice(2, 1, { ...(server.log[2] as RunwireEvent), id: 'epoch_1b_evt_3' });
      },
    };
    for (const [reason, harm] of Object.entries(breaks)) {
      const loaded: string[] = [];
      const told: string[] = [];
      const loadSnapshot = async (why: ResetReason): Promise<void> => void loaded.push(why);
      await using h = createHarness({ loadSnapshot });
      h.client.onReset((why) => told.push(why));
      await h.connect();
      h.server.append(...thoughts(3));
      h.server.last.close(1006);
      harm(h);
      await h.clock.advance(10_000);
      expect([loaded, told]).toEqual([[reason], [reason]]);
      expect(h.client.cursor?.seq).toBe(h.server.head);
      const before = h.applied.length;
      h.server.append(thinking('after'));
      expect(seqs(h.applied.slice(before))).toEqual([h.server.head]);
      h.applied.length = 0;
    }
  });

  it('pauses delivery until the snapshot is loaded, and acks only then', async () => {
    const load = pending<undefined>();
    await using h = createHarness({ loadSnapshot: () => load.promise });
    await h.connect();
    h.server.append(...thoughts(2));
    h.server.last.control({ type: 'reset', reason: 'trimmed', stream: h.server.stream() });
    h.server.append(...thoughts(3));
    await h.clock.advance(1_000);
    expect(seqs(h.applied)).toEqual([1, 2]);
    expect(h.server.last.acked).toBe(2);
    load.resolve(undefined);
    await h.clock.advance(1_000);
    expect(seqs(h.applied)).toEqual(upTo(5));
    expect(h.server.last.acked).toBe(5);
  });

  it('loads again after a reset that comes during a load', async () => {
    const loads: { reason: string; resolve: () => void }[] = [];
    await using h = createHarness({
      loadSnapshot: (reason) => {
        const { promise, resolve } = pending<undefined>();
        loads.push({ reason, resolve: () => resolve(undefined) });
        return promise;
      },
    });
    await h.connect();
    h.server.last.control({ type: 'reset', reason: 'trimmed', stream: h.server.stream() });
    h.server.last.control({ type: 'reset', reason: 'fork', stream: h.server.stream() });
    h.server.append(thinking('a'));
    loads[0]?.resolve();
    await h.clock.settle();
    expect(loads.map(({ reason }) => reason)).toEqual(['trimmed', 'fork']);
    expect(h.applied).toEqual([]);
    loads[1]?.resolve();
    await h.clock.settle();
    expect(seqs(h.applied)).toEqual([1]);
  });

  it('drops the connection when the load fails, and tries again with the next one', async () => {
    let fails = true;
    await using h = createHarness({
      loadSnapshot: async () => {
        if (fails) throw new Error('503');
      },
    });
    await h.connect();
    h.server.last.control({ type: 'reset', reason: 'trimmed', stream: h.server.stream() });
    h.server.append(thinking('a'));
    await h.clock.settle();
    expect(h.problems.map(({ code }) => code)).toEqual(['SNAPSHOT_FAILED']);
    expect(h.client.state.kind).toBe('waiting');
    fails = false;
    await h.clock.advance(1_000);
    expect(seqs(h.applied)).toEqual([1]);
    expect(h.client.stats.resets).toBe(1);
  });
});

describe('gaps', () => {
  it('sends one resync, drops until it continues, and counts the gap once', async () => {
    await using h = createHarness();
    await h.connect();
    h.server.last.live = false;
    h.server.append(...thoughts(5));
    for (const seq of [3, 4, 5]) h.server.last.event(h.server.log[seq - 1] as RunwireEvent);
    expect(h.applied).toEqual([]);
    await h.clock.settle();
    expect(h.server.last.of('resync')).toMatchObject([{ epoch: 'epoch_1', seq: 0 }]);
    expect(seqs(h.applied)).toEqual(upTo(5));
    expect(h.client.stats.gaps).toBe(1);
  });

  it('sees by a heartbeat that something is missing', async () => {
    await using h = createHarness();
    await h.connect();
    h.server.last.live = false;
    h.server.append(...thoughts(2));
    h.server.last.control({ type: 'heartbeat', sent: 2, head: 2, serverTimeMs: h.clock.nowMs() });
    h.server.last.sent = 2;
    await h.clock.settle();
    expect(seqs(h.applied)).toEqual([1, 2]);
  });

  it('gives up after three answers that do not help, and starts over', async () => {
    const loaded: string[] = [];
    await using h = createHarness({ loadSnapshot: async (reason) => void loaded.push(reason) });
    await h.connect();
    h.server.append(started());
    h.server.append(delta(5, 'lost the beginning'));
    await h.clock.settle();
    expect(h.server.last.of('resync')).toHaveLength(3);
    expect(loaded).toEqual(['fork']);
    expect(h.problems.map(({ code }) => code)).toEqual(['GAP_UNRESOLVED']);
    h.server.append(thinking('after'));
    expect(seqs(h.applied)).toEqual([1, 3]);
  });

  it('asks again no sooner than 10 s without an answer, or than a refusal says', async () => {
    await using h = createHarness();
    await h.connect();
    h.server.last.live = false;
    h.server.append(...thoughts(3));
    h.server.onMessage = ({ type }) => type === 'resync';
    const see = (): void => h.server.last.event(h.server.log[2] as RunwireEvent);
    see();
    await h.clock.advance(9_999);
    see();
    expect(h.server.last.of('resync')).toHaveLength(1);
    await h.clock.advance(1);
    see();
    const [, second] = h.server.last.of('resync');
    const error = { code: 'RATE_LIMITED', message: 'slow', retryable: true, retryAfterMs: 30_000 } as const;
    h.server.last.control({ type: 'error', ...error, ref: second?.id ?? '' });
    await h.clock.advance(19_000);
    see();
    expect(h.server.last.of('resync')).toHaveLength(2);
    expect(h.problems).toEqual([]);
    h.server.onMessage = undefined;
    await h.clock.advance(11_000);
    see();
    await h.clock.settle();
    expect(seqs(h.applied)).toEqual([1, 2, 3]);
  });
});

describe('storage', () => {
  it('saves the cursor with the state it belongs to, and resumes from it', async () => {
    let saved: SavedState | null = null;
    const texts: string[] = [];
    const storage = {
      load: () => saved,
      save: (next: SavedState) => {
        saved = next;
      },
      state: () => texts.join(),
    };
    await using h = createHarness({ storage });
    h.client.on('agent_thinking', ({ data }) => texts.push(data.text));
    await h.connect();
    h.server.append(thinking('a'), thinking('b'));
    expect(saved).toBeNull();
    await h.clock.advance(250);
    expect(saved).toEqual({ cursor: { epoch: 'epoch_1', seq: 2, id: 'epoch_1_evt_2' }, state: 'a,b' });
    h.server.append(thinking('c'));
    await h.client.close();
    expect(saved).toMatchObject({ cursor: { seq: 3 }, state: 'a,b,c' });
    await using again = createHarness({ storage });
    expect(again.client.cursor).toMatchObject({ seq: 3 });
  });

  it('does not save within a listener, nor before the snapshot after a reset is loaded', async () => {
    const saves: SavedState[] = [];
    const storage = { load: () => null, save: (next: SavedState) => saves.push(next), state: () => 0 };
    await using h = createHarness({ storage, loadSnapshot: () => new Promise(() => undefined) });
    await h.connect();
    h.server.append(thinking('a'));
    h.server.last.control({ type: 'reset', reason: 'fork', stream: h.server.stream() });
    await h.clock.advance(1_000);
    await h.client.close();
    await using other = createHarness({ storage });
    other.client.onEvent(() => void other.client.close());
    await other.connect();
    other.server.append(thinking('a'));
    await other.clock.advance(1_000);
    expect(saves).toEqual([]);
  });
});

interface Shown extends ThreadView<{ cursor: Cursor }> {
  readonly loads: { resolve: (seq: number, epoch?: string) => void; reject: (error: unknown) => void }[];
  readonly log: string[];
}

function createShown(onLoadError?: () => boolean): Shown {
  const loads: Shown['loads'] = [];
  const log: string[] = [];
  return {
    threadId: 'thr_1',
    loads,
    log,
    load: () => {
      const { promise, resolve, reject } = pending<{ cursor: Cursor }>();
      loads.push({
        resolve: (seq, epoch = 'epoch_1') => {
          resolve({ cursor: seq === 0 ? { epoch, seq } : { epoch, seq, id: `${epoch}_evt_${seq}` } });
        },
        reject,
      });
      return promise;
    },
    onSnapshot: ({ cursor }) => log.push(`snapshot ${cursor.seq}`),
    onEvent: ({ seq }) => log.push(`${seq}`),
    ...(onLoadError === undefined ? {} : { onLoadError }),
  };
}

describe('openThread', () => {
  it('[BR-6] drops what the snapshot covers and hands on what came during the load', async () => {
    await using h = createHarness();
    const shown = createShown();
    await h.connect();
    h.server.append(...thoughts(2));
    h.client.openThread(shown);
    h.server.append(...thoughts(3), thinking('other', 'thr_2'));
    shown.loads[0]?.resolve(4);
    await h.clock.settle();
    h.server.append(thinking('live'));
    expect(shown.log).toEqual(['snapshot 4', '5', '7']);
  });

  it('loads again when the connection starts beyond the snapshot', async () => {
    await using h = createHarness();
    const shown = createShown();
    h.client.openThread(shown);
    shown.loads[0]?.resolve(1);
    await h.clock.settle();
    h.server.append(...thoughts(3));
    await h.connect();
    expect(shown.loads).toHaveLength(2);
    shown.loads[1]?.resolve(3);
    await h.clock.settle();
    h.server.append(thinking('d'));
    expect(shown.log).toEqual(['snapshot 1', 'snapshot 3', '4']);
  });

  it('keeps a snapshot from before the first connection that is at the head, wherever the stream starts', async () => {
    for (const start of ['live', 'beginning'] as const) {
      for (const asked of ['shown before', 'under way']) {
        await using h = createHarness({ start });
        const shown = createShown();
        h.server.append(...thoughts(3));
        h.client.openThread(shown);
        if (asked === 'shown before') {
          shown.loads[0]?.resolve(3);
          await h.clock.settle();
        }
        await h.connect();
        shown.loads[0]?.resolve(3);
        await h.clock.settle();
        h.server.append(thinking('d'));
        expect(shown.log).toEqual(['snapshot 3', '4']);
        expect(shown.loads).toHaveLength(1);
      }
    }
  });

  const losses: readonly [what: string, lose: (h: Harness) => void][] = [
    ['ended before it', ({ server }) => void server.log.splice(3)],
    ['has another event there', (h) => loseAndGoOn(h, 5)],
    ['took another course and passed it', (h) => loseAndGoOn(h, 8)],
  ];

  /** A power loss takes events 4 and 5; the log goes on in another way. */
  function loseAndGoOn({ server }: Harness, head: number): void {
    server.log.splice(3);
    server.append(...thoughts(head - 3));
    for (let at = 3; at < head; at += 1) {
      const event = server.log[at] as RunwireEvent;
      server.log[at] = { ...event, id: `epoch_1b_evt_${event.seq}` };
    }
  }

  it.each(losses)('loads again when a power loss left a stream that %s', async (_, lose) => {
    for (const lastSeen of [0, 2]) {
      for (const asked of ['shown before', 'under way']) {
        await using h = createHarness({ start: 'beginning' });
        const shown = createShown();
        if (lastSeen > 0) {
          h.server.append(...thoughts(lastSeen));
          await h.connect();
          h.server.last.close(1006);
        }
        h.server.append(...thoughts(5 - lastSeen));
        h.client.openThread(shown);
        if (asked === 'shown before') {
          shown.loads[0]?.resolve(5);
          await h.clock.settle();
        }
        lose(h);
        const connected = h.client.connect();
        await h.clock.advance(1_000);
        await connected;
        shown.loads[0]?.resolve(5);
        await h.clock.settle();
        expect(shown.loads).toHaveLength(2);
        const { head } = h.server;
        shown.loads[1]?.resolve(head);
        await h.clock.settle();
        h.server.append(thinking('after'));
        const before = asked === 'shown before' ? ['snapshot 5'] : [];
        expect(shown.log).toEqual([...before, `snapshot ${head}`, `${head + 1}`]);
      }
    }
  });

  it('loads again when a snapshot that is ahead of the stream was asked for on a connection that broke', async () => {
    await using h = createHarness();
    const shown = createShown();
    await h.connect();
    h.server.last.live = false;
    h.server.append(...thoughts(5));
    h.client.openThread(shown);
    shown.loads[0]?.resolve(5);
    await h.clock.settle();
    h.server.log.splice(3);
    h.server.last.close(1006);
    await h.clock.advance(1_000);
    shown.loads[1]?.resolve(3);
    await h.clock.settle();
    expect(shown.log).toEqual(['snapshot 5', 'snapshot 3']);
  });

  it('loads again when a load outlasts two connections and is behind where the first one started', async () => {
    await using h = createHarness();
    const shown = createShown();
    h.server.append(...thoughts(3));
    h.client.openThread(shown);
    await h.connect();
    h.server.last.close(1006);
    await h.clock.advance(1_000);
    shown.loads[0]?.resolve(2);
    await h.clock.advance(1_000);
    shown.loads[1]?.resolve(3);
    await h.clock.settle();
    expect(shown.log).toEqual(['snapshot 3']);
  });

  it('does not load again over drops after which the stream goes on', async () => {
    await using h = createHarness();
    const shown = createShown();
    h.server.append(...thoughts(3));
    await h.connect();
    h.client.openThread(shown);
    shown.loads[0]?.resolve(3);
    await h.clock.settle();
    for (const text of ['a', 'b']) {
      h.server.last.close(1006);
      h.server.append(thinking(text));
      await h.clock.advance(5_000);
    }
    h.server.last.close(1006);
    await h.clock.advance(5_000);
    expect(shown.log).toEqual(['snapshot 3', '4', '5']);
    expect(shown.loads).toHaveLength(1);
  });

  it('does not take a snapshot that is behind what was delivered before it was asked for', async () => {
    await using h = createHarness();
    const shown = createShown();
    await h.connect();
    h.server.append(...thoughts(3));
    h.client.openThread(shown);
    shown.loads[0]?.resolve(2);
    await h.clock.advance(1_000);
    shown.loads[1]?.resolve(3);
    await h.clock.settle();
    expect(shown.log).toEqual(['snapshot 3']);
  });

  it('loads again after a reset, also one during the load', async () => {
    await using h = createHarness();
    const shown = createShown();
    await h.connect();
    h.client.openThread(shown);
    h.server.restartLog('epoch_2');
    h.server.last.control({ type: 'reset', reason: 'epoch', stream: h.server.stream() });
    shown.loads[0]?.resolve(9);
    shown.loads[1]?.resolve(0, 'epoch_2');
    await h.clock.settle();
    h.server.append(thinking('a'));
    expect(shown.log).toEqual(['snapshot 0', '1']);
  });

  it('shows a snapshot of an epoch the stream has not told of, and loads again', async () => {
    await using h = createHarness();
    const shown = createShown();
    await h.connect();
    h.client.openThread(shown);
    shown.loads[0]?.resolve(7, 'epoch_2');
    h.server.append(thinking('a'));
    await h.clock.advance(1_000);
    shown.loads[1]?.resolve(1);
    await h.clock.settle();
    expect(shown.log).toEqual(['snapshot 7', 'snapshot 1']);
  });

  it('tries a failed load again until it is told to stop', async () => {
    let goOn = true;
    await using h = createHarness();
    const shown = createShown(() => goOn);
    await h.connect();
    h.client.openThread(shown);
    shown.loads[0]?.reject(new Error('503'));
    await h.clock.advance(500);
    goOn = false;
    shown.loads[1]?.reject(new Error('404'));
    await h.clock.advance(60_000);
    expect(shown.loads).toHaveLength(2);
  });

  it('holds at most 10,000 events back, then asks again', async () => {
    await using h = createHarness();
    const shown = createShown();
    await h.connect();
    h.client.openThread(shown);
    h.server.append(...thoughts(10_001));
    shown.loads[0]?.resolve(0);
    await h.clock.settle();
    expect(shown.log).toEqual([]);
    shown.loads[1]?.resolve(10_001);
    await h.clock.settle();
    expect(shown.log).toEqual(['snapshot 10001']);
  });

  it('tells nothing after it was closed, also by its own callback', async () => {
    await using h = createHarness();
    const shown = createShown();
    await h.connect();
    const close = h.client.openThread({ ...shown, onEvent: () => close() });
    h.server.append(...thoughts(3));
    let told = 0;
    const undo = h.client.openThread({ ...shown, onSnapshot: () => undo(), onEvent: () => (told += 1) });
    for (const load of shown.loads) load.resolve(3);
    await h.clock.settle();
    h.server.append(...thoughts(2));
    expect(shown.log).toEqual(['snapshot 3']);
    expect(told).toBe(0);
  });
});
