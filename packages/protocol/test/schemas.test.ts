import { describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import {
  CLIENT_MESSAGE_SCHEMAS,
  EVENT_SCHEMAS,
  type JsonSchema,
  messageJsonSchemas,
  SERVER_MESSAGE_SCHEMAS,
} from '../src/index.js';
import { examplesOf, GOLDEN, type WireMessage } from './golden-examples.js';

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  ...CLIENT_MESSAGE_SCHEMAS,
  ...SERVER_MESSAGE_SCHEMAS,
  ...EVENT_SCHEMAS,
};
const { client, control, event } = messageJsonSchemas();
const JSON_SCHEMAS: Readonly<Record<string, JsonSchema>> = { ...client, ...control, ...event };
const ALL = [GOLDEN.client, GOLDEN.control, GOLDEN.event].flatMap((group) => examplesOf(group));

describe('schemas', () => {
  it.each(Object.keys(SCHEMAS))('%s is refused without any one of its required fields', (type) => {
    for (const message of ALL.filter((example) => example.type === type)) {
      for (const path of requiredPaths(JSON_SCHEMAS[type] ?? {})) {
        expect([path, accepts(changed(message, path, undefined))]).toEqual([path, false]);
      }
    }
  });

  it.each(Object.keys(SCHEMAS))('%s is refused with any one field of another type', (type) => {
    for (const message of ALL.filter((example) => example.type === type)) {
      for (const [path, schema] of Object.entries(typedPaths(JSON_SCHEMAS[type] ?? {}))) {
        if (valueAt(message, path) === undefined) continue;
        const wrong = schema['type'] === 'boolean' ? 'true' : true;
        expect([path, accepts(changed(message, path, wrong))]).toEqual([path, false]);
      }
    }
  });

  it.each(Object.keys(SCHEMAS))('%s loses fields that the protocol does not name', (type) => {
    const [message] = ALL.filter((example) => example.type === type);
    expect(SCHEMAS[type]?.parse({ ...message, userId: 'usr_9', later: 1 })).toEqual(
      type === 'connection_established' ? { ...message, userId: 'usr_9' } : message,
    );
  });

  it.each([
    ['user_message', { content: 'x', threadId: 'a'.repeat(128) }, true],
    ['user_message', { content: 'x', threadId: 'a'.repeat(129) }, false],
    ['user_message', { content: 'x', threadId: '' }, false],
    ['user_message', { content: 'x', id: 'a'.repeat(64) }, true],
    ['user_message', { content: 'x', id: 'a'.repeat(65) }, false],
    ['user_message', { content: 'x', id: '' }, false],
    ['user_message', { content: 'x', id: 'a b' }, false],
    ['user_message', { content: 'x', id: 'é' }, false],
    ['user_message', { content: 'x', id: 'abc\n' }, false],
    ['user_message', { content: 'x', onBusy: 'wait' }, false],
    ['user_message', { content: [{ type: 'image', url: 'x' }] }, false],
    ['user_message', { content: 'x', metadata: [] }, false],
    ['start_agent', { agent: 'demo', input: 7 }, false],
    ['ack', { seq: 0 }, true],
    ['ack', { seq: -1 }, false],
    ['ack', { seq: 1.5 }, false],
    ['ack', { seq: 2 ** 53 - 1 }, true],
    ['ack', { seq: 2 ** 53 }, false],
    ['ping', { n: Infinity }, false],
    ['tool_progress', tool({ percent: 100 }), true],
    ['tool_progress', tool({ percent: 100.1 }), false],
    ['tool_progress', tool({ percent: -1 }), false],
    ['caught_up', { seq: 0, ref: null }, false],
    ['error', { code: 'A_LATER_CODE', message: 'x', retryable: false }, true],
    ['error', { code: 'no code', message: 'x', retryable: false }, false],
  ])('%s with %j: accepted is %s', (type, fields, accepted) => {
    expect(accepts({ type, ...fields })).toBe(accepted);
  });

  it('an event of a run names its run, an event of a thread its thread', () => {
    const { runId: _, ...noRun } = { type: 'tool_progress', ...tool({}) } as WireMessage;
    expect(accepts(noRun)).toBe(false);
    const created = { type: 'thread_created', seq: 1, id: 'evt_1', at: 1, threadId: 'thr_1', data: {} };
    const { threadId: __, ...noThread } = created;
    expect([accepts(created), accepts(noThread)]).toEqual([true, false]);
  });

  it('an event has a seq of at least 1', () => {
    const erased = { type: 'erased', id: 'evt_1', at: 1, data: {} };
    expect(accepts({ ...erased, seq: 1 })).toBe(true);
    expect(accepts({ ...erased, seq: 0 })).toBe(false);
  });
});

function tool(progress: object): object {
  return {
    seq: 1,
    id: 'evt_1',
    at: 1,
    threadId: 'thr_1',
    runId: 'run_1',
    data: { toolCallId: 'tool_1', ...progress },
  };
}

function accepts(message: WireMessage): boolean {
  return SCHEMAS[message.type]?.safeParse(message).success ?? false;
}

/** Required fields of the message, and of objects that are themselves required. */
function requiredPaths(schema: JsonSchema): readonly string[] {
  const fields = (schema['required'] ?? []) as string[];
  const properties = (schema['properties'] ?? {}) as Record<string, JsonSchema>;
  return fields
    .filter((field) => field !== 'type')
    .flatMap((field) => [field, ...requiredPaths(properties[field] ?? {}).map((path) => `${field}.${path}`)]);
}

/** Fields that have one type, below `resume` excepted, where anything goes. */
function typedPaths(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  const found: Record<string, JsonSchema> = {};
  for (const [field, value] of Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>)) {
    if (field === 'type' || 'default' in value) continue;
    if (Object.keys(value).length > 0) found[field] = value;
    for (const [path, inner] of Object.entries(typedPaths(value))) found[`${field}.${path}`] = inner;
  }
  return found;
}

function valueAt(message: WireMessage, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], message);
}

function changed(message: WireMessage, path: string, value: unknown): WireMessage {
  const copy = structuredClone(message) as Record<string, unknown>;
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  const target = keys.reduce((at, key) => at[key] as Record<string, unknown>, copy);
  if (value === undefined) delete target[last];
  else target[last] = value;
  return copy as WireMessage;
}
