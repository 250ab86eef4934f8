import { expect, it } from '@jest/globals';
import type { z } from 'zod';
import type {
  ClientMessageOf,
  ClientMessageType,
  CommandMessage,
  CommandResult,
  ControlMessageOf,
  ControlType,
  EventDraft,
  EventType,
  RunwireEventOf,
} from '../src/index.js';
import type { clientSchemas } from '../src/schemas/client.js';
import type { controlSchemas } from '../src/schemas/control.js';
import type { eventSchemas } from '../src/schemas/events.js';

type Plain<T> = T extends readonly (infer Item)[]
  ? readonly Plain<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: Plain<T[K]> }
    : T;
type Equal<A, B> =
  (<T>() => T extends Plain<A> ? 1 : 2) extends <T>() => T extends Plain<B> ? 1 : 2 ? true : false;
type Differing<Types extends string, Ours extends Record<Types, unknown>, Schemas> = {
  [T in Types]: T extends keyof Schemas
    ? Equal<Ours[T], z.output<Schemas[T] & z.ZodType>> extends true
      ? never
      : T
    : T;
}[Types];

type Client = { [T in ClientMessageType]: ClientMessageOf<T> };
type Control = { [T in ControlType]: ControlMessageOf<T> };
// `erased` says aloud that it has no owner, which its schema, stripping, cannot.
type Event = { [T in EventType]: Unowned<RunwireEventOf<T>> };
type Unowned<E> = E extends { type: 'erased' } ? Omit<E, 'threadId' | 'runId'> : E;

const none = <T>(..._differing: [T] extends [never] ? [] : [T]): boolean => true;

it('the written types are what the schemas produce, field for field', () => {
  expect(none<Differing<ClientMessageType, Client, typeof clientSchemas>>()).toBe(true);
  expect(none<Differing<ControlType, Control, typeof controlSchemas>>()).toBe(true);
  expect(none<Differing<EventType, Event, typeof eventSchemas>>()).toBe(true);
});

it('the comparison of types sees a missing optional field', () => {
  // @ts-expect-error `b` is not in the second type
  expect(none<Equal<{ a: 1; b?: 2 }, { a: 1 }> extends true ? never : 'differs'>()).toBe(true);
});

it('drafts are every event but `erased`, and keep type and data together', () => {
  const draft: EventDraft = { type: 'tool_progress', threadId: 't', data: { toolCallId: 'x' } };
  // @ts-expect-error only an erasure makes `erased`
  const erased: EventDraft = { type: 'erased', data: {} };
  // @ts-expect-error the data of another type
  const mixed: EventDraft = { type: 'agent_error', threadId: 't', data: { toolCallId: 'x' } };
  expect([draft.type, erased.type, mixed.type]).toEqual(['tool_progress', 'erased', 'agent_error']);
});

it('each command has its own result', () => {
  const stopped: CommandResult<'stop_agent'> = { runId: 'r', status: 'cancelled' };
  // @ts-expect-error a stop has a status
  const wrong: CommandResult<'stop_agent'> = { runId: 'r', threadId: 't', messageId: 'm' };
  const commands: readonly CommandMessage['type'][] = [
    'user_message',
    'start_agent',
    'stop_agent',
    'resolve_approval',
  ];
  expect([stopped, wrong, commands]).toHaveLength(3);
});
