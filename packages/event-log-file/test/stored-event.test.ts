import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import type { EncodedEvent } from '@runwire/event-log';
import { EVENT_CLASS, type EventDraft, encodeEvent } from '@runwire/protocol';
import fc from 'fast-check';
import { decodeEvents, lastEventId } from '../src/stored-event.js';

const text = fc.oneof(
  fc.constantFrom('thr_1', '', '"', '\\', 'a\\"b', ',"runId":"x"', '\n', '漢'),
  fc.string({ unit: 'binary' }),
);
const event = fc.record({
  type: fc.constantFrom('agent_error', 'agent_thinking'),
  seq: fc.maxSafeNat(),
  id: text,
  at: fc.maxSafeNat(),
  threadId: fc.option(text, { nil: undefined }),
  runId: fc.option(text, { nil: undefined }),
  message: text,
});

/** Some of what an event says is made when it is asked for. */
function spelledOut({ id, json, ...event }: EncodedEvent): EncodedEvent {
  return { ...event, id, json };
}

describe('stored events', () => {
  it('are read as they were written, whatever their ids and texts', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 5 }), (events) => {
        const lines = events.map(({ type, seq, id, at, threadId, runId, message }) => {
          const scope = {
            ...(threadId !== undefined && { threadId }),
            ...(runId !== undefined && { runId }),
          };
          const draft: EventDraft =
            type === 'agent_error'
              ? { type, ...scope, data: { code: 'C', message, recoverable: true } }
              : { type, ...scope, data: { agent: 'a', text: message } };
          return encodeEvent(draft, { seq, id, at });
        });
        const stored = Buffer.from(`before\n${lines.join('\n')}\nafter`);
        const from = 'before\n'.length;
        const to = stored.length - '\nafter'.length;
        expect(decodeEvents(stored, from, to).map(spelledOut)).toEqual(
          events.map(({ type, seq, id, threadId, runId }, index) => ({
            seq,
            id,
            type,
            class: EVENT_CLASS[type],
            threadId,
            runId,
            json: lines[index],
            bytes: Buffer.byteLength(lines[index] ?? ''),
          })),
        );
        expect(lastEventId(stored, from, to)).toBe(events.at(-1)?.id);
      }),
    );
  });

  it.each(['{"type":"x"}', '{"type":"x","seq":1,"id":"e","at":1}', 'x', '{"seq":1}'])(
    'are never %s',
    (line) => {
      expect(() => decodeEvents(Buffer.from(line), 0, line.length)).toThrow(
        expect.objectContaining({ code: 'LOG_READ_FAILED' }),
      );
    },
  );
});
