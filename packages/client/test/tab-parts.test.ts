import { describe, expect, it } from '@jest/globals';
import { createManualClock } from '@runwire/kernel/testing';
import type { RunwireEvent } from '@runwire/protocol';
import { createFollowers } from '../src/tabs/followers.js';
import type { ToFollower } from '../src/tabs/messages.js';
import { createStreamHistory } from '../src/tabs/stream-history.js';
import { createUpstream } from '../src/tabs/upstream.js';

function event(seq: number, from?: number): RunwireEvent {
  const base = { type: 'erased', seq, id: `e${seq}`, at: 1, data: {} } as const;
  return from === undefined ? base : { ...base, from };
}

describe('the history of a stream', () => {
  const create = (seqs: readonly number[], maxChars = 1_000) => {
    const history = createStreamHistory({ epoch: 'e', seq: 10, id: 'e10' }, maxChars);
    for (const seq of seqs) history.add(event(seq), `text ${seq}`);
    return history;
  };

  it('takes what continues, once', () => {
    const history = create([]);
    expect([11, 11, 10, 13, 12, 13].map((seq) => history.add(event(seq), ''))).toEqual([
      true,
      false,
      false,
      false,
      true,
      true,
    ]);
    expect(history.last).toEqual({ epoch: 'e', seq: 13, id: 'e13' });
    expect(history.add(event(16, 14), '')).toBe(true);
    expect(history.add(event(18, 16), '')).toBe(true);
    expect(history.add(event(21, 20), '')).toBe(false);
  });

  it('gives what lies behind a cursor whose event it has seen, and nothing behind any other', () => {
    const history = create([11, 12]);
    history.add(event(15, 13), 'text 15');
    const after = (seq: number, id = `e${seq}`, epoch = 'e') => history.after({ epoch, seq, id });
    expect(after(10)).toEqual(['text 11', 'text 12', 'text 15']);
    expect(after(12)).toEqual(['text 15']);
    expect(after(15)).toEqual([]);
    // Before its beginning, within a merged event, ahead; another event; another log; an event nobody named.
    expect([after(9), after(14), after(16), after(12, 'x'), after(12, 'e12', 'f')]).toEqual(
      Array(5).fill(undefined),
    );
    expect(history.after({ epoch: 'e', seq: 12 })).toBeUndefined();
  });

  it('cannot answer for a beginning whose event is not known, but for the beginning of everything', () => {
    const unknown = createStreamHistory({ epoch: 'e', seq: 5 }, 100);
    expect(unknown.after({ epoch: 'e', seq: 5 })).toBeUndefined();
    expect(unknown.after({ epoch: 'e', seq: 5, id: 'e5' })).toBeUndefined();
    expect(createStreamHistory({ epoch: 'e', seq: 0 }, 100).after({ epoch: 'e', seq: 0 })).toEqual([]);
  });

  it('keeps what fits its limit, and forgets the oldest beyond it', () => {
    const history = create([11, 12, 13], 21);
    expect(history.floorSeq).toBe(10);
    history.add(event(14), 'x');
    expect(history.floorSeq).toBe(11);
    expect(history.after({ epoch: 'e', seq: 11, id: 'e11' })).toEqual(['text 12', 'text 13', 'x']);
    expect(history.after({ epoch: 'e', seq: 10, id: 'e10' })).toBeUndefined();
    history.add(event(15), 'x'.repeat(100));
    expect(history.floorSeq).toBe(15);
    expect(history.after({ epoch: 'e', seq: 15, id: 'e15' })).toEqual([]);
  });
});

describe('an upstream', () => {
  it('acks what is news to the server, and no more than it sent', () => {
    const sent: string[] = [];
    const clock = createManualClock();
    const upstream = createUpstream({
      clock,
      cursor: undefined,
      send: (data) => sent.push(data),
      fail: () => undefined,
    });
    upstream.restart(10);
    upstream.event(12);
    for (const seq of [10, 11, 11, 9, 15, 12]) upstream.ack(seq);
    expect(sent.map((data) => JSON.parse(data).seq)).toEqual([11, 12]);
  });
});

describe('followers', () => {
  const create = () => {
    const clock = createManualClock();
    const told: ToFollower[] = [];
    const listeners: ((event: { readonly data: unknown }) => void)[] = [];
    const followers = createFollowers({
      clock,
      leader: 'a',
      upstream: () => undefined,
      history: () => undefined,
      openLink: () => ({
        postMessage: (message) => told.push(message as ToFollower),
        addEventListener: (_, listener) => listeners.push(listener),
        close: () => undefined,
      }),
    });
    followers.add('link', '[]', 0);
    const send = (message: object): void => {
      for (const listener of listeners) listener({ data: { kind: 'send', data: JSON.stringify(message) } });
    };
    return { clock, followers, send, told };
  };

  it('are told the answers to what they asked, once, and the oldest of more than 1,000 open ones to nobody', () => {
    const { followers, send, told } = create();
    for (let n = 0; n <= 1_000; n += 1) send({ type: 'stop_agent', id: `c${n}`, runId: 'r' });
    expect(['c0', 'c1', 'c1', 'c1000', 'x'].map((ref) => followers.answer(ref, ref))).toEqual([
      false,
      true,
      false,
      true,
      false,
    ]);
    expect(told.map((message) => message.kind === 'frame' && message.data)).toEqual(['[]', 'c1', 'c1000']);
  });

  it('are let go when they have not applied what is forgotten, and not before', () => {
    const { followers, send, told } = create();
    send({ type: 'ack', seq: 7 });
    followers.trimmed(7);
    expect(followers.has('link')).toBe(true);
    followers.trimmed(8);
    expect(followers.has('link')).toBe(false);
    expect(told.at(-1)).toMatchObject({ kind: 'closed', code: 4508 });
    followers.close(1006, '');
  });

  it('leave no timer behind', () => {
    const { clock, followers, send } = create();
    send({ type: 'ack', seq: 1 });
    expect(clock.pendingTimers).toBe(1);
    followers.close(1006, '');
    expect(clock.pendingTimers).toBe(0);
  });
});
