import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FlowWindow } from '../src/flow-window.js';

describe('the flow window', () => {
  it('limits nothing before the first ack', () => {
    const window = new FlowWindow(100);
    window.sent(1, 90, 0);
    window.sent(2, 90, 0);
    expect(window.roomBytes).toBe(Number.POSITIVE_INFINITY);
    expect(window.isRoomy).toBe(true);
    expect(window.unackedBytes).toBe(180);
  });

  it('takes a client that was sent two windows without an ack for one that never acks, until it does', () => {
    const window = new FlowWindow(100);
    for (let seq = 1; seq <= 3; seq += 1) window.sent(seq, 90, 0);
    expect(window.unackedBytes).toBe(0);
    expect(window.largestFrameBytes).toBe(0);
    window.ack(1);
    expect(window.unackedBytes).toBe(180);
    expect(window.roomBytes).toBe(0);
  });

  it('has no room above the limit and is roomy at half of it', () => {
    const window = new FlowWindow(100);
    window.sent(1, 50, 0);
    window.ack(0);
    expect([window.roomBytes, window.isRoomy]).toEqual([50, true]);
    window.sent(2, 1, 0);
    expect([window.roomBytes, window.isRoomy]).toEqual([49, false]);
    window.sent(3, 100, 0);
    expect([window.roomBytes, window.isRoomy]).toEqual([0, false]);
  });

  it('tells when the oldest acknowledged frame was sent', () => {
    const window = new FlowWindow(100);
    window.sent(3, 1, 10);
    window.sent(5, 1, 20);
    expect(window.ack(2)).toBeUndefined();
    expect(window.ack(4)).toBe(10);
    expect(window.ack(4)).toBeUndefined();
    expect(window.ack(9)).toBe(20);
    expect(window.unackedBytes).toBe(0);
  });

  it('agrees with a plain list on bytes and on the largest frame in flight', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('sent' as const), bytes: fc.integer({ min: 1, max: 1_000 }) }),
      fc.record({ kind: fc.constant('ack' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const window = new FlowWindow(1_000_000);
        let frames: { seq: number; bytes: number }[] = [];
        let seq = 0;
        for (const next of steps) {
          if (next.kind === 'sent') {
            seq += 1;
            frames.push({ seq, bytes: next.bytes });
            window.sent(seq, next.bytes, 0);
          } else {
            const acked = Math.floor(seq * next.share);
            frames = frames.filter((frame) => frame.seq > acked);
            window.ack(acked);
          }
          expect(window.unackedBytes).toBe(frames.reduce((sum, frame) => sum + frame.bytes, 0));
          expect(window.largestFrameBytes).toBe(Math.max(0, ...frames.map((frame) => frame.bytes)));
        }
      }),
    );
  });
});
