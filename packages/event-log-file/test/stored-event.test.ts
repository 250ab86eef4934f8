import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import type { EncodedEvent } from '@runwire/event-log';
import { encodeEvent } from '@runwire/protocol';
import fc from 'fast-check';
import { decodeEvents, lastEventId } from '../src/stored-event.js';

const text = fc.oneof(
  fc.constantFrom('thr_1', '', '"', '\\', 'a\\"b', ',"runId":"x"', '\n', '漢'),
  fc.string({ unit: 'binary' }),
);
const event = fc.record({
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
        const lines = events.map(({ seq, id, at, threadId, runId, message }) => {
          const data = { code: 'C', message, recoverable: true };
          const scope = {
            ...(threadId !== undefined && { threadId }),
            ...(runId !== undefined && { runId }),
          };
          return encodeEvent({ type: 'agent_error', ...scope, data }, { seq, id, at });
        });
        const stored = Buffer.from(`before\n${lines.join('\n')}\nafter`);
        const from = 'before\n'.length;
        const to = stored.length - '\nafter'.length;
        expect(decodeEvents(stored, from, to).map(spelledOut)).toEqual(
          events.map(({ seq, id, threadId, runId }, index) => ({
            seq,
            id,
            type: 'agent_error',
            class: 'durable',
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
