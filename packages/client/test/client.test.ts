import { describe, expect, it } from '@jest/globals';
import type { RunwireEvent } from '@runwire/protocol';
import { answerText, applyRunEvent, type RunView } from '../src/index.js';
import { completed, delta, started, thinking, thoughts } from './support/drafts.js';
import { createHarness, seqs, upTo } from './support/harness.js';

describe('connecting', () => {
  it('carries the token in the subprotocols and never in the URL', async () => {
    await using h = createHarness({ getToken: async () => 'sécret+/=' });
    await h.connect();
    expect(h.server.last.token).toBe('sécret+/=');
    expect(h.server.last.url.href).toBe('wss://example.test/ws');
  });

  it('starts live at the head without a cursor', async () => {
    await using h = createHarness();
    h.server.append(...thoughts(3));
    await h.connect();
    expect(h.client.cursor).toEqual({ epoch: 'epoch_1', seq: 3, id: 'epoch_1_evt_3' });
    h.server.append(thinking('four'));
    expect(seqs(h.applied)).toEqual([4]);
    expect(h.states.map(({ kind }) => kind)).toEqual(['connecting', 'replaying', 'live']);
  });

  it('[BR-3] takes the whole retained stream from the beginning when asked', async () => {
    await using h = createHarness({ start: 'beginning' });
    h.server.append(...thoughts(10));
    await h.connect();
    expect(h.server.last.url.search).toBe('?seq=0');
    expect(seqs(h.applied)).toEqual(upTo(10));
  });

  it('starts a trimmed stream at its first readable event', async () => {
    await using h = createHarness({ start: 'beginning' });
    h.server.append(...thoughts(10));
    h.server.first = 6;
    await h.connect();
    expect(seqs(h.applied)).toEqual(upTo(10, 6));
    expect(h.client.stats.gaps).toBe(0);
  });

  it('joins repeated calls of connect', async () => {
    await using h = createHarness();
    await Promise.all([h.connect(), h.client.connect()]);
    expect(h.server.connections).toHaveLength(1);
  });

  it('refuses options that cannot work', () => {
    const { server } = createHarness();
    const make = (options: object) => () => createHarness({ webSocket: server.webSocket, ...options });
    expect(make({ url: 'ftp://example.test' })).toThrow('url must be ws, wss, http or https.');
    expect(make({ url: 'no url' })).toThrow('url is not a URL.');
    expect(make({ maxPendingCommands: 0 })).toThrow('maxPendingCommands must be a number of at least 1.');
  });

  it('tells the time of the server', async () => {
    await using h = createHarness();
    h.server.serverAheadMs = 90_000;
    expect(h.client.serverNowMs()).toBe(h.clock.nowMs());
    await h.connect();
    expect(h.client.serverNowMs()).toBe(h.clock.nowMs() + 90_000);
    h.server.last.control({ type: 'heartbeat', sent: 0, head: 0, serverTimeMs: h.clock.nowMs() - 5_000 });
    expect(h.client.serverNowMs()).toBe(h.clock.nowMs() - 5_000);
  });
});

describe('resuming', () => {
  it('[BR-4] loses and repeats nothing over a drop, and resumes with the id of its last event', async () => {
    await using h = createHarness();
    await h.connect();
    h.server.append(...thoughts(4));
    h.server.last.close(1006);
    h.server.append(...thoughts(4));
    await h.clock.advance(20_000);
    expect(h.server.last.url.search).toBe('?epoch=epoch_1&seq=4&id=epoch_1_evt_4');
    expect(seqs(h.applied)).toEqual(upTo(8));
  });

  it('survives a cut during the replay, and a second drop right after', async () => {
    await using h = createHarness({ start: 'beginning' });
    h.server.append(...thoughts(20));
    h.server.cutAfter = 7;
    const connected = h.client.connect();
    await h.clock.settle();
    h.server.cutAfter = 4;
    await h.clock.advance(60_000);
    await connected;
    expect(h.server.connections).toHaveLength(3);
    expect(seqs(h.applied)).toEqual(upTo(20));
    expect(h.client.stats.duplicates).toBe(0);
  });

  it('resumes from a drop before the first event', async () => {
    await using h = createHarness();
    await h.connect();
    h.server.last.close(1006);
    h.server.append(thinking('one'));
    await h.clock.advance(20_000);
    expect(h.server.last.url.search).toBe('?epoch=epoch_1&seq=0');
    expect(seqs(h.applied)).toEqual([1]);
  });

  it('connects beside an old connection that the server still believes in', async () => {
    await using h = createHarness();
    await h.connect();
    const old = h.server.last;
    old.dead = true;
    await h.clock.advance(50_000);
    expect(h.server.connections).toHaveLength(2);
    h.server.append(thinking('one'));
    expect(seqs(h.applied)).toEqual([1]);
  });

  it('puts an answer together byte for byte over cuts in every place', async () => {
    await using h = createHarness({ start: 'beginning' });
    const text = 'Grüße 👋 an alle: '.repeat(9);
    let view: RunView | undefined;
    h.client.onEvent((event) => {
      view = applyRunEvent(view, event);
    });
    h.server.append(started());
    for (let at = 0; at < text.length; at += 7) h.server.append(delta(at, text.slice(at, at + 7)));
    h.server.append(completed('msg_1', text));
    const connected = h.client.connect();
    for (let cut = 1; cut < 6; cut += 1) {
      h.server.cutAfter = cut;
      await h.clock.advance(20_000);
    }
    h.server.cutAfter = undefined;
    await h.clock.advance(60_000);
    await connected;
    expect(answerText(view?.parts ?? [])).toBe(text);
    expect(view?.status).toBe('completed');
  });

  it('drops a connection that sends no Runwire frame, reports it and resumes', async () => {
    await using h = createHarness();
    await h.connect();
    for (const frame of [
      '<html>',
      '7',
      '{"type":5}',
      '{"type":"x","seq":"1","id":"a","data":{}}',
      new ArrayBuffer(2),
    ]) {
      h.server.last.sendRaw(frame);
      expect(h.client.state.kind).toBe('waiting');
      await h.clock.advance(20_000);
    }
    expect(h.problems.map(({ code }) => code)).toEqual(Array(5).fill('FRAME_INVALID'));
    expect(h.client.state.kind).toBe('live');
  });

  it('ignores control messages and hands on events of types it does not know', async () => {
    await using h = createHarness();
    await h.connect();
    h.server.last.sendRaw('{"type":"novelty","data":{"x":1}}');
    h.server.last.sent = 1;
    h.server.last.sendRaw(
      '{"type":"new_event","seq":1,"id":"epoch_1_evt_1","at":1,"threadId":"t","data":{}}',
    );
    expect(seqs(h.applied)).toEqual([1]);
    expect(h.client.state.kind).toBe('live');
  });
});

describe('listeners', () => {
  it('goes on when a listener of states or errors throws, and reports it', async () => {
    await using h = createHarness();
    h.client.onState(() => {
      throw new Error('broken');
    });
    h.client.onError(() => {
      throw new Error('broken too');
    });
    await h.connect();
    h.server.append(thinking('a'));
    expect(seqs(h.applied)).toEqual([1]);
    expect(h.problems.map(({ code }) => code)).toEqual(Array(3).fill('LISTENER_FAILED'));
  });

  it('calls no listener after its undo, and undoing twice does nothing', async () => {
    await using h = createHarness();
    const seen: number[] = [];
    const first = h.client.onEvent(() => second());
    const second = h.client.onEvent(({ seq }) => seen.push(seq));
    await h.connect();
    h.server.append(thinking('a'));
    first();
    first();
    expect(seen).toEqual([]);
  });

  it('stops delivering in the middle of a frame when a listener closes the client', async () => {
    await using h = createHarness();
    h.client.onEvent(({ seq }) => {
      if (seq === 2) void h.client.close();
    });
    await h.connect();
    h.server.append(...thoughts(3));
    await h.clock.settle();
    expect(seqs(h.applied)).toEqual([1, 2]);
    expect(h.client.state).toEqual({ kind: 'stopped', code: 1000, reason: 'closed', resumable: false });
  });
});

describe('events()', () => {
  it('yields the applied events and ends with close', async () => {
    await using h = createHarness();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { seq } of h.client.events()) seen.push(seq);
    })();
    await h.connect();
    h.server.append(...thoughts(5));
    await h.clock.settle();
    await h.client.close();
    await reading;
    expect(seen).toEqual(upTo(5));
  });

  it('pauses delivery and acks for a slow reader, drops nothing, and goes on when it has read', async () => {
    await using h = createHarness({ maxBufferedEvents: 10 });
    const events = h.client.events();
    await h.connect();
    h.server.append(...thoughts(30));
    await h.clock.advance(1_000);
    expect(h.applied).toHaveLength(10);
    expect(h.server.last.acked).toBe(10);
    const read: RunwireEvent[] = [];
    for (let n = 0; n < 30; n += 1) {
      const { value } = await events.next();
      if (value !== undefined) read.push(value);
    }
    await h.clock.advance(1_000);
    expect(seqs(read)).toEqual(upTo(30));
    expect(h.server.last.acked).toBe(30);
  });

  it('goes on for the others when a slow reader stops', async () => {
    await using h = createHarness({ maxBufferedEvents: 2 });
    const events = h.client.events();
    await h.connect();
    h.server.append(...thoughts(6));
    expect(h.applied).toHaveLength(2);
    await events.return?.();
    expect(seqs(h.applied)).toEqual(upTo(6));
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });

  it('asks again for what came beyond the bound while paused', async () => {
    await using h = createHarness({ maxBufferedEvents: 1 });
    const events = h.client.events();
    await h.connect();
    h.server.append(...thoughts(10_050));
    await events.return?.();
    await h.clock.settle();
    expect(h.server.last.of('resync')).toHaveLength(1);
    expect(h.applied).toHaveLength(10_050);
    expect(h.client.stats.gaps).toBe(0);
  });
});

describe('closing', () => {
  it('acks what was applied, closes 1000, and refuses what comes after', async () => {
    await using h = createHarness();
    await h.connect();
    h.server.append(...thoughts(2));
    const connection = h.server.last;
    await h.client.close();
    await h.client.close();
    await h.clock.settle();
    expect(connection.acked).toBe(2);
    expect(connection.open).toBe(false);
    await expect(h.client.connect()).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    await expect(h.client.send({ content: 'x' })).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    expect(await h.client.events().next()).toEqual({ done: true, value: undefined });
  });

  it('leaves nothing behind in whatever state it is closed', async () => {
    for (const door of ['hang', 'refuse', 4503, 1012, 4401, undefined] as const) {
      for (const afterMs of [0, 1, 700, 5_000, 31_000]) {
        await using h = createHarness({ loadSnapshot: () => new Promise(() => undefined) });
        h.server.door = () => door;
        h.client.connect().catch(() => undefined);
        void h.client.openThread({
          threadId: 'thr_1',
          load: () => Promise.reject(new Error('away')),
          onSnapshot: () => undefined,
          onEvent: () => undefined,
        });
        h.client.send({ content: 'x' }).catch(() => undefined);
        await h.clock.advance(afterMs);
        h.server.append(thinking('x'));
      }
    }
  });

  it('cancels a token request that is under way', async () => {
    await using h = createHarness({ getToken: () => new Promise(() => undefined) });
    const connected = h.client.connect();
    await h.clock.settle();
    await h.client.close();
    await expect(connected).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
  });
});
