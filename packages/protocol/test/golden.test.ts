import { describe, expect, it } from '@jest/globals';
import {
  CLIENT_MESSAGE_SCHEMAS,
  type ControlMessage,
  decodeClientMessage,
  decodeServerFrame,
  EVENT_SCHEMAS,
  type EventDraft,
  encodeEvent,
  encodeFrame,
  encodeServerMessage,
  messageJsonSchemas,
  type RunwireEvent,
  SERVER_MESSAGE_SCHEMAS,
} from '../src/index.js';
import { examplesOf, GOLDEN, type WireMessage } from './golden-examples.js';

describe('golden examples', () => {
  it('cover every message type', () => {
    expect(Object.keys(GOLDEN.client)).toEqual(Object.keys(CLIENT_MESSAGE_SCHEMAS));
    expect(Object.keys(GOLDEN.control)).toEqual(Object.keys(SERVER_MESSAGE_SCHEMAS));
    expect(Object.keys(GOLDEN.event)).toEqual(Object.keys(EVENT_SCHEMAS));
  });

  it('show every field of every message', () => {
    const shown = new Set(
      [GOLDEN.client, GOLDEN.control, GOLDEN.event].flatMap((group) => examplesOf(group).flatMap(pathsOf)),
    );
    const schemas = messageJsonSchemas();
    const named = [schemas.client, schemas.control, schemas.event].flatMap((group) =>
      Object.entries(group).flatMap(([type, schema]) => fieldsOf(schema, type)),
    );
    // `from` is the envelope's: one merged event shows it for all.
    expect(named.filter((path) => !shown.has(path) && !/^\w+\.(from|runId)$/.test(path))).toEqual([]);
    expect(shown).toContain('agent_delta.from');
  });

  it.each(examplesOf(GOLDEN.client).map((message) => [message.type, message]))(
    'a client message is decoded as it was sent: %s',
    (_type, message) => {
      expect(decodeClientMessage(JSON.stringify(message))).toEqual({ ok: true, message });
    },
  );

  it.each(examplesOf(GOLDEN.control).map((message) => [message.type, message]))(
    'a control message survives encode and decode: %s',
    (_type, message) => {
      const text = encodeServerMessage(message as unknown as ControlMessage);
      expect(decodeServerFrame(text)).toEqual([message]);
    },
  );

  it.each(examplesOf(GOLDEN.event).map((message) => [message.type, message]))(
    'an event survives encode and decode, byte for byte: %s',
    (_type, message) => {
      const event = message as unknown as RunwireEvent;
      const text = encodeEvent(event as EventDraft, event);
      expect(text).toBe(JSON.stringify(message));
      expect(decodeServerFrame(text)).toEqual([message]);
    },
  );

  it('all server messages fit one frame, in order', () => {
    const all = [...examplesOf(GOLDEN.control), ...examplesOf(GOLDEN.event)];
    expect(decodeServerFrame(encodeFrame(all.map((message) => JSON.stringify(message))))).toEqual(all);
  });
});

/** The paths that a message has, arrays without their index. */
function pathsOf(message: WireMessage): readonly string[] {
  const walk = (value: unknown, path: string): readonly string[] => {
    if (typeof value !== 'object' || value === null) return [path];
    if (Array.isArray(value)) return [path, ...value.flatMap((item) => walk(item, path))];
    return [path, ...Object.entries(value).flatMap(([key, item]) => walk(item, `${path}.${key}`))];
  };
  return walk(message, message.type);
}

/** The paths that a JSON Schema names. */
function fieldsOf(schema: unknown, path: string): readonly string[] {
  const { properties, items, anyOf, oneOf } = schema as Record<string, Record<string, unknown> | undefined>;
  return [
    ...Object.entries(properties ?? {}).flatMap(([key, field]) => [
      `${path}.${key}`,
      ...fieldsOf(field, `${path}.${key}`),
    ]),
    ...(items === undefined ? [] : fieldsOf(items, path)),
    ...Object.values(anyOf ?? oneOf ?? {}).flatMap((variant) => fieldsOf(variant, path)),
  ];
}
