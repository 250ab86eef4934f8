import { describe, expect, it } from '@jest/globals';
import { createIdGenerator } from '@runwire/id-generation';
import { createManualClock } from '@runwire/kernel/testing';
import { EventWindow } from '../src/event-window.js';
import type { EncodedEvent } from '../src/index.js';

const ids = createIdGenerator({ clock: createManualClock() });

function eventAt(seq: number, bytes = 10): EncodedEvent {
  const none = undefined;
  return {
    seq,
    id: ids.eventId(),
    type: 'erased',
    class: 'durable',
    threadId: none,
    runId: none,
    json: '',
    bytes,
  };
}

const ALL = { limitEvents: Infinity, limitBytes: Infinity };

function filled(count: number, baseSeq = 0): EventWindow {
  const window = new EventWindow(baseSeq, undefined);
  for (let seq = baseSeq + 1; seq <= baseSeq + count; seq += 1) window.push(eventAt(seq), seq * 1_000);
  return window;
}

const seqs = (events: readonly EncodedEvent[]) => events.map(({ seq }) => seq);

describe('EventWindow', () => {
  it('begins after the seq it is given', () => {
    const window = filled(3, 41);
    expect([window.first, window.head, window.count, window.bytes]).toEqual([42, 44, 3, 30]);
    expect(seqs(window.page(42, ALL))).toEqual([43, 44]);
  });

  it('knows the ids from the one before the first to the head, before and after every trim', () => {
    const window = filled(100);
    const known = new Map(window.page(0, ALL).map(({ seq, id }) => [seq, id]));
    for (let before = 1; before <= 101; before += 1) {
      window.dropBelow(before);
      expect(window.idAt(before - 2)).toBeUndefined();
      for (let seq = before - 1; seq <= 100; seq += 1) expect(window.idAt(seq)).toBe(known.get(seq));
      expect(window.idAt(101)).toBeUndefined();
      expect(window.count).toBe(101 - before);
      expect(window.bytes).toBe(window.count * 10);
      expect(window.oldestAt).toBe(before <= 100 ? before * 1_000 : undefined);
    }
  });

  it('goes on at the same seq after it was emptied and compacted', () => {
    const window = filled(50);
    window.dropBelow(1_000);
    expect([window.first, window.head, window.bytes]).toEqual([51, 50, 0]);
    window.compact();
    window.push(eventAt(51), 1);
    expect(seqs(window.page(50, ALL))).toEqual([51]);
  });

  it('gives one event for limits that are no numbers', () => {
    const window = filled(3);
    expect(seqs(window.page(0, { limitEvents: Number.NaN, limitBytes: Number.NaN }))).toEqual([1]);
  });

  it('counts the bytes of what stands there after a replacement, and passes the times', () => {
    const window = filled(4);
    window.dropBelow(2);
    const times: number[] = [];
    const replaced = window.replace((event, at) => {
      times.push(at);
      return event.seq === 3 ? { ...event, bytes: 4 } : undefined;
    });
    expect([replaced, window.bytes]).toEqual([1, 24]);
    expect(times).toEqual([2_000, 3_000, 4_000]);
  });

  it('trims 400,000 events one by one as they are appended in linear time', () => {
    // With a shift per event, or a copy per trim, this needs minutes.
    const window = filled(200_000);
    for (let seq = 200_001; seq <= 400_000; seq += 1) {
      window.push(eventAt(seq), seq);
      window.dropFirst();
    }
    expect([window.first, window.head]).toEqual([200_001, 400_000]);
  });
});
