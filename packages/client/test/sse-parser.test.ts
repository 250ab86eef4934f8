import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createSseParser } from '../src/sse-parser.js';

type Message = readonly [event: string, data: string];

/** What a parser makes of these chunks. */
function parse(chunks: readonly string[], maxChars = 1_000): Message[] {
  const messages: Message[] = [];
  const push = createSseParser(maxChars, (event, data) => messages.push([event, data]));
  for (const chunk of chunks) push(chunk);
  return messages;
}

/** The bytes cut at these places, decoded as a stream is. */
function decoded(bytes: Uint8Array, cuts: readonly number[]): string[] {
  const decoder = new TextDecoder();
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const chunks = [0, ...places].map((from, n) => bytes.subarray(from, places[n]));
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true }));
}

describe('the parser of event streams', () => {
  it.each([
    ['data: a\n\n', [['message', 'a']]],
    ['data:a\n\n', [['message', 'a']]],
    ['data:  a\n\n', [['message', ' a']]],
    ['data\n\n', [['message', '']]],
    ['data: a\ndata: b\n\n', [['message', 'a\nb']]],
    ['event: close\ndata: {"code":1000}\n\n', [['close', '{"code":1000}']]],
    ['event: close\n\ndata: a\n\n', [['message', 'a']]],
    ['id: e:1:x\ndata: a\nretry: 5\n\n', [['message', 'a']]],
    [': a comment\n\ndata: a\n\n', [['message', 'a']]],
    ['DATA: a\nother: b\n\n', []],
    ['data: {"a":"b: c"}\n\n', [['message', '{"a":"b: c"}']]],
    ['data: a\r\n\r\ndata: b\r\rdata: c\n\n', ['a', 'b', 'c'].map((data) => ['message', data])],
    ['data: unfinished', []],
    ['data: unfinished\n', []],
  ])('reads %j', (text, messages) => {
    expect(parse([text])).toEqual(messages);
  });

  it('reads a message as soon as its last line ends, though the other half of that end may follow', () => {
    expect(parse(['data: a\r', '\r'])).toEqual([['message', 'a']]);
    expect(parse(['data: a\r', '\n\r', '\ndata: b\r\n\r\n'])).toEqual([
      ['message', 'a'],
      ['message', 'b'],
    ]);
    expect(parse(['data: a\r', '', '\n\n'])).toEqual([['message', 'a']]);
  });

  it('reads the same, however the bytes are cut, also within characters and line ends', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((line) => !/[\r\n\ufeff]/.test(line));
    const message = fc.tuple(
      fc.constantFrom('message', 'close'),
      fc.array(text, { minLength: 1, maxLength: 3 }),
    );
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 5 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.array(fc.nat(), { maxLength: 20 }),
        (messages, lineEnd, cuts) => {
          const lines = messages.flatMap(([event, data]) => [
            ...(event === 'message' ? [': comment'] : [`event: ${event}`]),
            ...data.map((line) => `data: ${line}`),
            '',
          ]);
          const bytes = new TextEncoder().encode(lines.map((line) => line + lineEnd).join(''));
          const expected = messages.map(([event, data]) => [event, data.join('\n')]);
          expect(parse(decoded(bytes, cuts))).toEqual(expected);
        },
      ),
    );
  });

  it('takes a message of the limit and refuses a longer one, before it has ended', () => {
    expect(parse([`data: ${'a'.repeat(94)}`, '\n\n'], 100)).toHaveLength(1);
    expect(() => parse([`data: ${'a'.repeat(95)}`], 100)).toThrow(RangeError);
    expect(() => parse(Array(102).fill('data: a\n'), 100)).toThrow(RangeError);
    expect(parse([...Array(200).fill(': still here\n'), 'data: a\n\n'], 100)).toHaveLength(1);
    expect(parse(Array(30).fill('data: a\n\n'), 100)).toHaveLength(30);
  });

  it('takes a long message byte by byte in a time that grows with its length alone', () => {
    const chars = ['data: ', ...Array<string>(300_000).fill('a'), '\n', '\n'];
    expect(parse(chars, 400_000)).toHaveLength(1);
  });
});
