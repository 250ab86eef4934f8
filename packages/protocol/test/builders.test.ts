import { describe, expect, it } from '@jest/globals';
import {
  type ControlType,
  createErrorBody,
  createErrorMessage,
  createServerMessage,
  messageJsonSchemas,
  SERVER_MESSAGE_SCHEMAS,
} from '../src/index.js';
import { GOLDEN } from './golden-examples.js';

function refusal(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

const missing = (field: string) => ({
  name: 'ProtocolError',
  code: 'MISSING_FIELD',
  details: expect.objectContaining({ field }),
  message: expect.stringContaining(`"${field}"`),
});

describe('createServerMessage', () => {
  it('builds what the schema accepts', () => {
    const message = createServerMessage('caught_up', { seq: 3 });
    expect(message).toEqual({ type: 'caught_up', seq: 3 });
    expect(SERVER_MESSAGE_SCHEMAS.caught_up.parse(message)).toEqual(message);
  });

  it.each(Object.keys(SERVER_MESSAGE_SCHEMAS))(
    '[CT-5] %s without a required field is refused with the name of the field',
    (type) => {
      const required = (messageJsonSchemas().control[type]?.['required'] ?? []) as string[];
      const example = GOLDEN.control[type]?.[0] ?? { type };
      expect(createServerMessage(type as ControlType, example as never)).toEqual(example);
      for (const field of required.filter((name) => name !== 'type')) {
        const { [field]: _left, ...rest } = example;
        expect(refusal(() => createServerMessage(type as ControlType, rest as never))).toMatchObject(
          missing(field),
        );
      }
    },
  );

  it('[CT-5] a missing argument is a compile error, and an error that names it', () => {
    // @ts-expect-error no fields
    expect(refusal(() => createServerMessage('caught_up'))).toMatchObject(missing('fields'));
    // @ts-expect-error no seq
    expect(refusal(() => createServerMessage('caught_up', {}))).toMatchObject(missing('seq'));
    // @ts-expect-error a field of another message
    expect(refusal(() => createServerMessage('caught_up', { head: 1 }))).toMatchObject(missing('seq'));
    // @ts-expect-error neither type nor fields
    expect(refusal(() => createServerMessage())).toMatchObject(missing('type'));
  });

  it('refuses types that are no control message, inherited names too', () => {
    // @ts-expect-error an event is no control message
    const event = refusal(() => createServerMessage('agent_started', {}));
    // @ts-expect-error no type at all
    const inherited = refusal(() => createServerMessage('toString', {}));
    expect(event).toMatchObject({ code: 'UNKNOWN_TYPE', details: { type: 'agent_started' } });
    expect(inherited).toMatchObject({ code: 'UNKNOWN_TYPE' });
  });
});

describe('createErrorMessage', () => {
  it('takes message and retryable from the table', () => {
    expect(createErrorMessage({ code: 'INVALID_JSON' })).toEqual({
      type: 'error',
      code: 'INVALID_JSON',
      message: 'The message is not valid JSON.',
      retryable: false,
    });
  });

  it('takes what it is given', () => {
    const input = {
      code: 'RATE_LIMITED',
      message: 'Slow.',
      ref: 'c1',
      retryAfterMs: 9,
      details: { a: 1 },
    } as const;
    expect(createErrorMessage(input)).toEqual({ type: 'error', retryable: true, ...input });
  });

  it('[CT-5] without a code it is a compile error, and an error that names it', () => {
    // @ts-expect-error no argument
    expect(refusal(() => createErrorMessage())).toMatchObject(missing('code'));
    // @ts-expect-error no code
    expect(refusal(() => createErrorMessage({}))).toMatchObject(missing('code'));
    // @ts-expect-error no code
    expect(refusal(() => createErrorBody())).toMatchObject(missing('code'));
  });

  it('refuses codes that are not in the table', () => {
    // @ts-expect-error no such code
    expect(refusal(() => createErrorMessage({ code: 'OOPS' }))).toMatchObject({
      code: 'UNKNOWN_CODE',
      details: { code: 'OOPS' },
    });
  });
});

describe('createErrorBody', () => {
  it('can be told otherwise', () => {
    expect(createErrorBody('NOT_READY', { retryable: false, retryAfterMs: 0 })).toEqual({
      code: 'NOT_READY',
      message: 'The server is not ready. Please try again.',
      retryable: false,
      retryAfterMs: 0,
    });
  });
});
