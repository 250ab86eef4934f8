import { describe, expect, it } from '@jest/globals';
import { EventIds, parseEventId } from '../src/event-id.js';

const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const established = (epoch: string) => ({ type: 'connection_established', stream: { epoch, head: 0 } });
const event = (seq: number) => ({ type: 'agent_delta', seq, id: `evt_${seq}`, at: 1, data: { stream: {} } });

describe("a frame's id as a server-sent event", () => {
  it('is the cursor of the last event in it, in the epoch that the server announced', () => {
    const ids = new EventIds();
    expect(ids.of(bytes(established('e1')))).toBeUndefined();
    expect(ids.of(bytes(event(7)))).toBe('e1:7:evt_7');
    expect(ids.of(bytes([event(8), event(9)]))).toBe('e1:9:evt_9');
    expect(
      ids.of(bytes({ type: 'reset', reason: 'epoch', stream: { epoch: 'e2', head: 3 } })),
    ).toBeUndefined();
    expect(ids.of(bytes([event(4), { type: 'caught_up', seq: 4 }]))).toBe('e2:4:evt_4');
  });

  it('is none for control messages and for what is no JSON, and follows no text that looks like an event', () => {
    const ids = new EventIds();
    ids.of(bytes(established('e1')));
    for (const message of [
      { type: 'caught_up', seq: 4, ref: 'evt_4' },
      { type: 'command_accepted', ref: 'c1', result: { seq: 1, id: 'evt_1', at: 1 } },
      { type: 'heartbeat', sent: 4, head: 4, serverTimeMs: 1 },
      [],
      7,
      null,
    ]) {
      expect(ids.of(bytes(message))).toBeUndefined();
    }
    expect(ids.of(Buffer.from('{"seq":1'))).toBeUndefined();
    const quoting = { ...event(5), data: { text: '"seq":9,"id":"evt_9","at":1},{"stream":{"epoch":"e9"}}' } };
    expect(ids.of(bytes(quoting))).toBe('e1:5:evt_5');
  });

  it('reads a view of a larger buffer', () => {
    const ids = new EventIds();
    ids.of(bytes(established('e1')));
    const whole = Buffer.concat([Buffer.from('xx'), bytes(event(6)), Buffer.from('xx')]);
    expect(ids.of(whole.subarray(2, whole.length - 2))).toBe('e1:6:evt_6');
  });
});

describe('Last-Event-ID', () => {
  it('is read from its end, so that an epoch may hold colons; a cursor at 0 has no event', () => {
    expect(parseEventId('e1:12:evt_9')).toEqual({ epoch: 'e1', seq: 12, id: 'evt_9' });
    expect(parseEventId('a:1:b:12:evt_9')).toEqual({ epoch: 'a:1:b', seq: 12, id: 'evt_9' });
    expect(parseEventId('e1:0:')).toEqual({ epoch: 'e1', seq: 0 });
  });

  it('that does not parse names an epoch that nobody knows: the answer is reset', () => {
    for (const text of ['x', '7', ':', 'e1:-1:evt', 'e1:1.5:evt', `e1:${'9'.repeat(16)}:evt`, 'e1:7']) {
      expect(parseEventId(text)).toEqual({ epoch: text });
    }
  });
});
