import { describe, expect, it } from '@jest/globals';
import { isCodedError } from '@runwire/kernel';
import fc from 'fast-check';
import {
  createEventEncoder,
  createServerMessage,
  type EventDraft,
  encodeEvent,
  encodeFrame,
  encodeServerMessage,
  SERVER_MESSAGE_SCHEMAS,
} from '../src/index.js';

const DRAFT: EventDraft = {
  type: 'agent_error',
  threadId: 'thr_1',
  runId: 'run_1',
  data: { code: 'X', message: 'm', recoverable: true },
};

describe('encodeEvent', () => {
  it('writes the envelope in one fixed order', () => {
    expect(encodeEvent(DRAFT, { seq: 7, id: 'evt_7', at: 1795241600000 })).toBe(
      '{"type":"agent_error","seq":7,"id":"evt_7","at":1795241600000,"threadId":"thr_1","runId":"run_1",' +
        '"data":{"code":"X","message":"m","recoverable":true}}',
    );
    expect(encodeEvent(DRAFT, { seq: 7, id: 'evt_7', at: 1, from: 5 })).toContain(
      '"at":1,"from":5,"threadId"',
    );
  });

  it('writes an erased event without thread and run', () => {
    expect(encodeEvent({ type: 'erased', data: {} }, { seq: 7, id: 'evt_7', at: 1 })).toBe(
      '{"type":"erased","seq":7,"id":"evt_7","at":1,"data":{}}',
    );
  });

  it('writes what JSON.stringify would, whatever the ids and the data', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('a"b', '\\', '\u2028', '\n'),
    );
    const draft = fc.record({ threadId: text, runId: text, message: text, input: fc.jsonValue() });
    fc.assert(
      fc.property(draft, text, fc.maxSafeNat(), fc.maxSafeNat(), (parts, id, seq, at) => {
        const { threadId, runId, message, input } = parts;
        const data = { toolCallId: message, tool: 'x', input };
        const expected = JSON.stringify({ type: 'tool_executing', seq, id, at, threadId, runId, data });
        expect(encodeEvent({ type: 'tool_executing', threadId, runId, data }, { seq, id, at })).toBe(
          expected,
        );
      }),
    );
  });
});

describe('encodeServerMessage of what each connect brings, which is put together by hand', () => {
  const text = fc.oneof(
    fc.constantFrom('con_1', 'usr_0', '', 'a"b', '\\', '\u2028', '\ud800'),
    fc.string({ unit: 'binary' }),
  );
  const number = fc.oneof(
    fc.maxSafeNat(),
    fc.constantFrom(0, -0, 1.5, 1e21, -7, Number.NaN, Number.POSITIVE_INFINITY),
  );

  it('writes what JSON.stringify would of connection_established, whatever its texts and numbers', () => {
    const reason = fc.constantFrom('epoch', 'trimmed', 'ahead', 'fork');
    const resume = fc.record(
      { mode: fc.constantFrom('live', 'replay', 'reset'), from: number, reason },
      { requiredKeys: ['mode', 'from'] },
    );
    const message = fc.record({
      connectionId: text,
      userId: text,
      serverTimeMs: number,
      stream: fc.record({ epoch: text, first: number, head: number, headId: fc.option(text) }),
      resume,
      limits: fc.record({ maxMessageBytes: number, maxCommandsPerMinute: number }),
      heartbeatIntervalMs: number,
      tokenExpiresAtMs: number,
      reconnect: fc.record({ minDelayMs: number, maxDelayMs: number, windowMs: number }),
      type: fc.constant('connection_established'),
    });
    fc.assert(
      fc.property(message, (given) => {
        expect(encodeServerMessage(given)).toBe(JSON.stringify(given));
      }),
    );
  });

  it('writes what the schema takes, every field of it', () => {
    const message = createServerMessage('connection_established', {
      connectionId: 'con_1',
      userId: 'usr_1',
      serverTimeMs: 1_795_241_600_000,
      stream: { epoch: 'e', first: 1, head: 7, headId: 'evt_7' },
      resume: { mode: 'reset', from: 8, reason: 'trimmed' },
      limits: { maxMessageBytes: 65_536, maxCommandsPerMinute: 60 },
      heartbeatIntervalMs: 20_000,
      tokenExpiresAtMs: 1_795_241_700_000,
      reconnect: { minDelayMs: 500, maxDelayMs: 30_000, windowMs: 5_000 },
    });
    const decoded: unknown = JSON.parse(encodeServerMessage(message));
    expect(SERVER_MESSAGE_SCHEMAS.connection_established.parse(decoded)).toEqual(message);
  });

  it('writes what JSON.stringify would of caught_up', () => {
    const message = fc.record(
      { seq: number, ref: text, type: fc.constant('caught_up') },
      { requiredKeys: ['seq', 'type'] },
    );
    fc.assert(
      fc.property(message, (given) => {
        expect(encodeServerMessage(given)).toBe(JSON.stringify(given));
      }),
    );
  });
});

describe('encodeEvent of a delta, which is put together by hand', () => {
  const data = fc.record(
    {
      messageId: fc.oneof(fc.constant('msg_1'), fc.string({ unit: 'binary' })),
      part: fc.oneof(fc.nat(), fc.constantFrom(Number.NaN, 1.5, Number.POSITIVE_INFINITY)),
      kind: fc.constantFrom('text', 'reasoning', 'tool_input'),
      offset: fc.oneof(fc.maxSafeNat(), fc.constant(Number.NaN)),
      text: fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('"', '\\', '\n', '\ud800')),
      toolCallId: fc.string(),
    },
    { requiredKeys: ['messageId', 'part', 'kind', 'offset', 'text'] },
  );

  it('writes the same from an encoder that has written others before', () => {
    const scope = fc.option(fc.constantFrom('', 'thr_1', 'thr_"'), { nil: undefined });
    const drafts = fc.array(fc.record({ threadId: scope, runId: scope, data }));
    fc.assert(
      fc.property(drafts, (given) => {
        const encoder = createEventEncoder();
        for (const [seq, { threadId, runId, data: said }] of given.entries()) {
          const ids = { ...(threadId !== undefined && { threadId }), ...(runId !== undefined && { runId }) };
          const draft: EventDraft = { type: 'agent_delta', ...ids, data: said };
          const position = { seq, id: 'evt_1', at: 1 };
          expect(encoder.encode(draft, position)).toBe(encodeEvent(draft, position));
        }
      }),
    );
  });

  it('writes the same from an encoder that has seen more messages than it remembers', () => {
    const encoder = createEventEncoder();
    for (let n = 0; n < 2 * 2_049; n += 1) {
      const messageId = `msg_${n % 2_049}`;
      const draft: EventDraft = {
        type: 'agent_delta',
        runId: `run_${n % 2_049}`,
        data: { messageId, part: n, kind: 'text', offset: 0, text: 'x' },
      };
      const position = { seq: n + 1, id: 'evt_1', at: 1 };
      expect(encoder.encode(draft, position)).toBe(encodeEvent(draft, position));
    }
  });

  it('writes what JSON.stringify would, whatever it says', () => {
    fc.assert(
      fc.property(data, (given) => {
        const json = encodeEvent({ type: 'agent_delta', data: given }, { seq: 1, id: 'evt_1', at: 1 });
        expect(json).toBe(
          `{"type":"agent_delta","seq":1,"id":"evt_1","at":1,"data":${JSON.stringify(given)}}`,
        );
      }),
    );
  });
});

describe('encodeFrame', () => {
  it('sends one message alone and several as an array', () => {
    const pong = encodeServerMessage({ type: 'pong', n: 1 });
    expect(encodeFrame([pong])).toBe('{"type":"pong","n":1}');
    expect(encodeFrame([pong, pong])).toBe('[{"type":"pong","n":1},{"type":"pong","n":1}]');
  });

  it('writes nothing as an empty array', () => {
    expect(encodeFrame([])).toBe('[]');
  });
});

describe('what has no JSON', () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const position = { seq: 1, id: 'evt_1', at: 1 };

  it.each([
    ['a cycle', cycle],
    ['a BigInt', 1n],
  ])('%s is refused, and the cause kept', (_name, input) => {
    const draft: EventDraft = { type: 'tool_executing', data: { toolCallId: 't', tool: 'x', input } };
    expect(refusal(() => encodeEvent(draft, position))).toMatchObject({
      code: 'NOT_ENCODABLE',
      cause: expect.any(TypeError),
    });
  });

  it('an event without data and a message that is none are refused', () => {
    const draft = { type: 'agent_error' } as EventDraft;
    expect(
      isCodedError(
        refusal(() => encodeEvent(draft, position)),
        'NOT_ENCODABLE',
      ),
    ).toBe(true);
    // @ts-expect-error no message
    const nothing = refusal(() => encodeServerMessage(undefined));
    expect(isCodedError(nothing, 'NOT_ENCODABLE')).toBe(true);
  });
});

function refusal(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}
