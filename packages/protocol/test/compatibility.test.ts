import { describe, expect, it } from '@jest/globals';
import { type JsonSchema, type MessageJsonSchemas, messageJsonSchemas } from '../src/index.js';
import { breakingChanges } from './compatibility.js';

type Group = keyof MessageJsonSchemas;

const text = { type: 'string' };
const object = (
  properties: JsonSchema,
  required: readonly string[] = Object.keys(properties),
): JsonSchema => ({
  type: 'object',
  properties,
  required,
});
const only = (group: Group, schema: JsonSchema): MessageJsonSchemas => ({
  client: {},
  control: {},
  event: {},
  [group]: { m: schema },
});
const between = (group: Group, before: JsonSchema, now: JsonSchema) =>
  breakingChanges(only(group, before), only(group, now));

describe('breakingChanges', () => {
  it('[CT-2] the current protocol does not break itself', () => {
    expect(breakingChanges(messageJsonSchemas(), messageJsonSchemas())).toEqual([]);
  });

  it.each(['client', 'control', 'event'] as const)(
    '[CT-2] a %s message type that is gone is a break',
    (group) => {
      const none = { client: {}, control: {}, event: {} };
      expect(breakingChanges(only(group, object({})), none)).toEqual([
        `${group}.m: the message type is gone`,
      ]);
      expect(breakingChanges(none, only(group, object({})))).toEqual([]);
    },
  );

  const A = object({ a: text });
  const nested = (schema: JsonSchema) => object({ data: schema });

  it.each<[string, JsonSchema, JsonSchema]>([
    ['a new required field', A, object({ a: text, b: text })],
    ['an optional field that becomes required', object({ a: text }, []), A],
    ['a new required field deeper down', nested(A), nested(object({ a: text, b: text }))],
    ['a narrowed number', object({ a: { type: 'number' } }), object({ a: { type: 'integer' } })],
    ['a type where any value was', object({ a: {} }), A],
    ['an enum value that is gone', object({ a: { enum: ['x', 'y'] } }), object({ a: { enum: ['x'] } })],
    ['an enum where any text was', A, object({ a: { type: 'string', enum: ['x'] } })],
    ['a new pattern', A, object({ a: { ...text, pattern: '^x' } })],
    ['a shorter text', object({ a: { ...text, maxLength: 9 } }), object({ a: { ...text, maxLength: 8 } })],
    ['a longer minimum', A, object({ a: { ...text, minLength: 1 } })],
    ['a raised minimum', object({ a: { type: 'number' } }), object({ a: { type: 'number', minimum: 0 } })],
    ['a variant that is gone', object({ a: { anyOf: [text, { type: 'null' }] } }), A],
    [
      'a variant that is gone, of three',
      object({ a: { anyOf: [text, { type: 'null' }, { type: 'number' }] } }),
      object({ a: { anyOf: [text, { type: 'number' }] } }),
    ],
    [
      'narrower items',
      object({ a: { type: 'array', items: text } }),
      object({ a: { type: 'array', items: { const: 'x' } } }),
    ],
    [
      'narrower values of a record',
      object({ a: { type: 'object', additionalProperties: {} } }),
      object({ a: { type: 'object', additionalProperties: text } }),
    ],
  ])(
    '[CT-2] from client to server %s is a break, and its opposite from server to client',
    (_name, wide, narrow) => {
      expect(between('client', wide, narrow)).not.toEqual([]);
      expect(between('control', narrow, wide)).not.toEqual([]);
      expect(between('event', narrow, wide)).not.toEqual([]);
      expect(between('client', narrow, wide)).toEqual([]);
      expect(between('control', wide, narrow)).toEqual([]);
      expect(between('event', wide, narrow)).toEqual([]);
    },
  );

  it.each<[string, JsonSchema, JsonSchema]>([
    ['a new optional field', A, object({ a: text, b: text }, ['a'])],
    ['an optional field that is gone', object({ a: text, b: text }, ['a']), A],
  ])('%s is no break', (_name, before, now) => {
    for (const group of ['client', 'control', 'event'] as const)
      expect(between(group, before, now)).toEqual([]);
  });

  it('[CT-2] a required field that the server no longer sends is named', () => {
    expect(between('event', object({ a: text, b: text }), A)).toEqual([
      'event.m.b: the field is required there and not always sent',
    ]);
  });

  it.each<[string, JsonSchema, JsonSchema]>([
    ['a changed type', A, object({ a: { type: 'number' } })],
    ['a changed pattern', object({ a: { ...text, pattern: 'y' } }), object({ a: { ...text, pattern: 'x' } })],
    ['a value exchanged for another', object({ a: { enum: ['x'] } }), object({ a: { enum: ['y'] } })],
    ['text instead of an object', object({ a: object({}) }), A],
  ])('[CT-2] %s is a break in either direction', (_name, before, now) => {
    for (const group of ['client', 'control', 'event'] as const) {
      expect(between(group, before, now)).not.toEqual([]);
      expect(between(group, now, before)).not.toEqual([]);
    }
  });

  it('a schema that it does not understand is a break, not a pass', () => {
    expect(between('client', A, object({ a: { not: {} } }))).toEqual(['client.m.a: cannot compare not']);
  });
});
