import { describe, expect, it } from '@jest/globals';
import { isCodedError } from '@runwire/kernel';
import { decodeServerFrame } from '../src/index.js';

function refusal(text: string): unknown {
  try {
    decodeServerFrame(text);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('decodeServerFrame', () => {
  it('takes one message alone and several as an array, in order', () => {
    expect(decodeServerFrame('{"type":"pong"}')).toEqual([{ type: 'pong' }]);
    expect(decodeServerFrame('[{"type":"pong","n":1},{"type":"pong","n":2}]')).toEqual([
      { type: 'pong', n: 1 },
      { type: 'pong', n: 2 },
    ]);
  });

  it('drops unknown fields', () => {
    expect(decodeServerFrame('{"type":"pong","n":1,"x":2}')).toEqual([{ type: 'pong', n: 1 }]);
  });

  it.each(['later', '__proto__', 'constructor', 'ping'])('names the unknown type %s', (type) => {
    expect(refusal(JSON.stringify({ type }))).toMatchObject({ code: 'UNKNOWN_TYPE', details: { type } });
  });

  it.each(['', '{', '3', 'null', '"x"', '{}', '[null]', '[[{"type":"pong"}]]', '{"type":3}'])(
    'refuses %s',
    (text) => {
      expect(isCodedError(refusal(text), 'INVALID_FRAME')).toBe(true);
    },
  );

  it('names the message and the field that break a schema', () => {
    expect(refusal('[{"type":"pong"},{"type":"caught_up","seq":"1"}]')).toMatchObject({
      code: 'INVALID_FRAME',
      details: { type: 'caught_up', issues: [{ path: 'seq' }] },
    });
  });
});
