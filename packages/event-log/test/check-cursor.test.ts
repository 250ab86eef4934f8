import { describe, expect, it } from '@jest/globals';
import type { StreamInfo } from '@runwire/protocol';
import { checkCursor } from '../src/index.js';

const stream: StreamInfo = { epoch: 'e1', first: 4, head: 7, headId: 'id7' };
const fresh: StreamInfo = { epoch: 'e1', first: 1, head: 0, headId: null };
const emptied: StreamInfo = { epoch: 'e1', first: 8, head: 7, headId: 'id7' };
const idAt = (seq: number) => `id${seq}`;

describe('[BR-8] checkCursor', () => {
  it.each([
    [stream, { epoch: 'e2', seq: 5, id: 'id5' }, 'epoch'],
    [stream, { seq: 5 }, 'epoch'],
    [stream, {}, 'epoch'],
    [stream, { epoch: 'e1' }, 'epoch'],
    [stream, { epoch: 'e1', seq: '5' }, 'epoch'],
    [stream, { epoch: 'e1', seq: Number.NaN }, 'epoch'],
    [stream, { epoch: 'e1', seq: -1 }, 'epoch'],
    [stream, { epoch: 'e1', seq: 5.5 }, 'epoch'],
    [stream, { epoch: 'e1', seq: 2 ** 53 }, 'epoch'],
    [stream, { epoch: 'e1', seq: 5, id: 5 }, 'epoch'],
    [stream, { epoch: 'e1', seq: 5, id: null }, 'epoch'],
    [stream, { epoch: 'e2', seq: 99 }, 'epoch'],
    [stream, { epoch: 'e1', seq: 8 }, 'ahead'],
    [stream, { epoch: 'e1', seq: 8, id: 'id8' }, 'ahead'],
    [stream, { epoch: 'e1', seq: 2 }, 'trimmed'],
    [stream, { epoch: 'e1', seq: 0 }, 'trimmed'],
    [stream, { epoch: 'e1', seq: 2, id: 'other' }, 'trimmed'],
    [stream, { epoch: 'e1', seq: 3, id: 'other' }, 'fork'],
    [stream, { epoch: 'e1', seq: 7, id: 'other' }, 'fork'],
    [stream, { epoch: 'e1', seq: 5, id: '' }, 'fork'],
    [stream, { epoch: 'e1', seq: 3, id: 'id3' }, undefined],
    [stream, { epoch: 'e1', seq: 3 }, undefined],
    [stream, { epoch: 'e1', seq: 5, id: 'id5' }, undefined],
    [stream, { epoch: 'e1', seq: 7, id: 'id7' }, undefined],
    [stream, { epoch: 'e1', seq: 7 }, undefined],
    [fresh, { epoch: 'e1', seq: 0 }, undefined],
    [fresh, { epoch: 'e1', seq: 0, id: 'whatever' }, undefined],
    [fresh, { epoch: 'e1', seq: 1 }, 'ahead'],
    [emptied, { epoch: 'e1', seq: 7, id: 'id7' }, undefined],
    [emptied, { epoch: 'e1', seq: 6 }, 'trimmed'],
    [emptied, { epoch: 'e1', seq: 8 }, 'ahead'],
  ])('of %j answers %j with %s', (info, cursor, reason) => {
    expect(checkCursor(info, cursor, idAt)).toBe(reason);
  });

  it('takes an id that the log does not know for another', () => {
    expect(checkCursor(stream, { epoch: 'e1', seq: 3, id: 'id3' }, () => undefined)).toBe('fork');
  });

  it('asks for ids between the one before the first event and the head alone', () => {
    const asked: number[] = [];
    const note = (seq: number) => {
      asked.push(seq);
      return undefined;
    };
    for (const seq of [0, 1, 2, 3, 4, 7, 8, 9]) checkCursor(stream, { epoch: 'e1', seq, id: 'x' }, note);
    checkCursor(fresh, { epoch: 'e1', seq: 0, id: 'x' }, note);
    expect(asked).toEqual([3, 4, 7]);
  });
});
