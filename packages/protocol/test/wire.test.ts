import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as whole from '../src/index.js';
import { decodeServerFrame, EVENT_SCHEMAS, SERVER_MESSAGE_SCHEMAS } from '../src/index.js';
import * as wire from '../src/wire/index.js';
import { encodeClientMessage, isLogEvent, isServerMessage, parseServerFrame } from '../src/wire/index.js';
import { examplesOf, GOLDEN, type WireMessage } from './golden-examples.js';

const EXAMPLES = [...examplesOf(GOLDEN.control), ...examplesOf(GOLDEN.event)];
const TYPES = [...Object.keys(SERVER_MESSAGE_SCHEMAS), ...Object.keys(EVENT_SCHEMAS)];

function schemasAccept(text: string): boolean {
  try {
    decodeServerFrame(text);
    return true;
  } catch {
    return false;
  }
}

function wireAccepts(text: string): boolean {
  return parseServerFrame(text)?.every(isServerMessage) ?? false;
}

const ODD_TEXTS: readonly string[] = '| |a|A|a b|é|a\n|_A|9A|live|text'
  .split('|')
  .concat(
    ['x', 'X', '👋', '\ud83d'].flatMap((unit) => [64, 65, 128, 129].map((count) => unit.repeat(count))),
  );

/** Values that are the right ones for few fields. */
const ODD: readonly unknown[] = [
  ...ODD_TEXTS,
  null,
  true,
  false,
  0,
  1,
  -1,
  1.5,
  100,
  100.1,
  2 ** 53 - 1,
  2 ** 53,
  1e308,
  -1e308,
  [],
  [null],
  [{ type: 'text', text: '' }],
  [{ type: 'image' }],
  {},
  { code: 'A', message: '' },
  { inputTokens: 0, outputTokens: 1.5 },
  { epoch: 'e', first: 1, head: 0, headId: null },
];

type Path = readonly (string | number)[];

/** Every place in a message, and one new field in every object. */
function placesOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Object.entries(value).flatMap(([key, field]) => placesOf(field, [...path, key]));
  return [path, ...inner, [...path, 'later']];
}

/** A copy with another value, or without any, at a place. */
function changed(message: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  const copy = structuredClone(message) as Record<string | number, unknown>;
  const next = changed(copy[key], rest, value);
  if (next === undefined) delete copy[key];
  else copy[key] = next;
  return copy;
}

/** True for what a schema cannot name: whether its type is known is not the schema's question. */
function isOfKnownType(message: unknown): boolean {
  return TYPES.includes((Object(message) as { type?: string }).type ?? '');
}

describe('the checks by hand', () => {
  it.each(EXAMPLES.map((message) => [message.type, message]))('take the golden %s', (_type, message) => {
    expect(wireAccepts(JSON.stringify(message))).toBe(true);
  });

  it.each(TYPES)('judge %s as its schema does, with any one field odd, gone or added', (type) => {
    const judged = new Set<boolean>();
    for (const message of EXAMPLES.filter((example) => example.type === type)) {
      for (const path of placesOf(message)) {
        for (const value of [undefined, ...ODD]) {
          const other = changed(message, path, value);
          if (!isOfKnownType(other)) continue;
          const text = JSON.stringify(other);
          expect([text, wireAccepts(text)]).toEqual([text, schemasAccept(text)]);
          judged.add(wireAccepts(text));
        }
      }
    }
    // The comparison means something only where both verdicts were given.
    expect(judged.size).toBe(2);
  });

  it('judge whole frames as the schemas do, with several fields changed at random', () => {
    const change = fc.tuple(
      fc.nat(),
      fc.oneof(fc.constantFrom(...ODD), fc.jsonValue(), fc.constant(undefined)),
    );
    const message = fc
      .tuple(fc.constantFrom(...EXAMPLES), fc.array(change, { maxLength: 3 }))
      .map(([example, changes]) => {
        return changes.reduce<unknown>((at, [n, value]) => {
          const places = placesOf(at);
          return changed(at, places[n % places.length] ?? [], value);
        }, example);
      })
      .filter(isOfKnownType);
    fc.assert(
      fc.property(fc.array(message, { maxLength: 3 }), (messages) => {
        const text = JSON.stringify(messages);
        expect(wireAccepts(text)).toBe(schemasAccept(text));
      }),
      { numRuns: 500 },
    );
  });

  it('refuse numbers that JSON can write and the protocol cannot mean', () => {
    const text = '{"type":"pong","n":1e999}';
    expect([wireAccepts(text), schemasAccept(text)]).toEqual([false, false]);
  });

  it.each(['', '{', '3', 'null', '"x"', '{}', '[null]', '[[{"type":"pong"}]]', '{"type":3}'])(
    'refuse %s, as the schemas do',
    (text) => {
      expect([wireAccepts(text), schemasAccept(text)]).toEqual([false, false]);
    },
  );

  it('let through what only a newer server knows, but no event without its envelope', () => {
    const event: WireMessage = { type: 'later', seq: 7, id: 'evt_7', at: 1, data: {} };
    for (const message of [{ type: 'novelty', data: 1 }, { type: '__proto__' }, event]) {
      expect([message, wireAccepts(JSON.stringify(message))]).toEqual([message, true]);
    }
    for (const field of ['seq', 'id', 'data']) {
      const text = JSON.stringify({ ...event, [field]: null });
      expect([field, wireAccepts(text)]).toEqual([field, false]);
    }
  });
});

describe('parseServerFrame', () => {
  it('takes one message alone and several as an array, in order, as they are', () => {
    expect(parseServerFrame('{"type":"pong","later":1}')).toEqual([{ type: 'pong', later: 1 }]);
    expect(parseServerFrame('[{"type":"pong","n":1},{"type":"pong","n":2}]')).toHaveLength(2);
    expect(parseServerFrame('[]')).toEqual([]);
  });

  it('refuses what is no text', () => {
    for (const data of [new ArrayBuffer(2), undefined, 7]) expect(parseServerFrame(data)).toBeUndefined();
  });

  it('refuses an event whose place in the stream cannot be read, and leaves the rest to the application', () => {
    const event = { type: 'agent_delta', seq: 2, id: 'evt_2', at: 1, data: { text: 7 } };
    expect(parseServerFrame(JSON.stringify(event))).toEqual([event]);
    for (const wrong of [
      { seq: '2' },
      { seq: 1.5 },
      { id: 2 },
      { from: '1' },
      { data: null },
      { data: 'x' },
    ]) {
      expect([wrong, parseServerFrame(JSON.stringify({ ...event, ...wrong }))]).toEqual([wrong, undefined]);
    }
  });

  it('tells events of the log from control messages', () => {
    const isEvent = (message: WireMessage): boolean => isLogEvent(message as never);
    expect(examplesOf(GOLDEN.event).every(isEvent)).toBe(true);
    expect(examplesOf(GOLDEN.control).some(isEvent)).toBe(false);
  });
});

describe('@runwire/protocol/wire', () => {
  it('encodes what the server decodes', () => {
    for (const message of examplesOf(GOLDEN.client)) {
      const text = encodeClientMessage(message as never);
      expect(whole.decodeClientMessage(text)).toEqual({ ok: true, message });
    }
  });

  it('shares its codes, limits and fold with the whole package', () => {
    const shared = Object.entries(wire).filter(([name]) => name in whole);
    expect(shared.length).toBeGreaterThan(8);
    for (const [name, value] of shared) expect(Reflect.get(whole, name)).toBe(value);
  });

  it('has the limits that a client keeps among the limits of the protocol', () => {
    expect(whole.LIMITS).toMatchObject(wire.CLIENT_LIMITS);
    expect(Object.isFrozen(wire.CLIENT_LIMITS)).toBe(true);
  });
});
