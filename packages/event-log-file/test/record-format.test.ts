import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RecordBuffer } from '../src/record-buffer.js';
import { claimedHead, decodeRecordHead, RECORD_FIXED_BYTES, RECORD_KIND } from '../src/record-format.js';
import { payloadOf, producerOf, userOf } from '../src/segment-scan.js';
import { decodeEvents, lastEventId, recordFlags } from '../src/stored-event.js';

const TITLE = {
  kind: RECORD_KIND.events,
  flags: 1,
  userId: 'user',
  producer: { id: 'cmd:1', attempt: 3, n: 4 },
  firstSeq: 5,
  count: 2,
  at: 1_767_225_600_000,
};

function record(title: typeof TITLE = TITLE, lines: readonly string[] = ['{"a":1}', '{"b":2}']): Buffer {
  const buffer = new RecordBuffer();
  expect(buffer.add(title, lines)).toBe(buffer.length);
  return Buffer.from(buffer.bytes);
}

describe('a record', () => {
  it('comes back as it was put in, whatever stands around it', () => {
    const one = record();
    const source = Buffer.concat([Buffer.from('before'), one, Buffer.from('behind')]);
    const head = decodeRecordHead(source, 6, source.length);
    expect(head).toEqual({
      length: RECORD_FIXED_BYTES + 4 + 5 + 15,
      kind: RECORD_KIND.events,
      flags: 1,
      userBytes: 4,
      producerBytes: 5,
      firstSeq: 5,
      count: 2,
      at: 1_767_225_600_000,
      attempt: 3,
      n: 4,
    });
    if (head === undefined) return;
    const scanned = { head, source, start: 6, offset: 0 };
    expect([userOf(scanned), producerOf(scanned)]).toEqual(['user', 'cmd:1']);
    const { from, to } = payloadOf(scanned);
    expect(source.toString('utf8', from, to)).toBe('{"a":1}\n{"b":2}');
  });

  it('holds the largest values there are', () => {
    const largest = 2 ** 48 - 1;
    const producer = { id: 'p'.repeat(65_535), attempt: largest, n: 2 ** 32 - 1 };
    const title = { ...TITLE, userId: 'u'.repeat(65_535), producer, firstSeq: largest, at: largest };
    const one = record({ ...title, count: 2 ** 32 - 1 });
    expect(decodeRecordHead(one, 0, one.length)).toMatchObject({
      userBytes: 65_535,
      producerBytes: 65_535,
      attempt: largest,
      n: 2 ** 32 - 1,
      firstSeq: largest,
      count: 2 ** 32 - 1,
      at: largest,
    });
  });

  it('is none with any bit changed, or any byte missing', () => {
    const one = record();
    for (let at = 0; at < one.length; at += 1) {
      expect(decodeRecordHead(one, 0, at)).toBeUndefined();
      for (let bit = 0; bit < 8; bit += 1) {
        const changed = Buffer.from(one);
        changed.writeUInt8(changed.readUInt8(at) ^ (1 << bit), at);
        expect(decodeRecordHead(changed, 0, changed.length)).toBeUndefined();
      }
    }
  });

  it('tells what it claims to be when only its payload is damaged, and nothing that cannot be', () => {
    const one = record();
    one.writeUInt8(0, one.length - 1);
    expect(claimedHead(one, 0, one.length)).toMatchObject({ firstSeq: 5, count: 2 });
    expect(claimedHead(one, 0, one.length - 1)).toBeUndefined();
    one.writeUInt16LE(60_000, 14);
    expect(claimedHead(one, 0, one.length)).toBeUndefined();
  });

  it('leaves a buffer as it was when it is refused', () => {
    const buffer = new RecordBuffer();
    buffer.add(TITLE, ['{}']);
    const before = Buffer.from(buffer.bytes);
    expect(() => buffer.add({ ...TITLE, userId: '\ud800' }, ['{}'])).toThrow(
      expect.objectContaining({ code: 'NOT_ENCODABLE' }),
    );
    expect(buffer.bytes).toEqual(before);
  });

  it('leaves a buffer as it was when it is taken back, and what follows is whole', () => {
    const buffer = new RecordBuffer();
    buffer.begin({ ...TITLE, count: 2 });
    buffer.beginLine();
    buffer.text('é');
    expect(buffer.lineLength).toBe(2);
    buffer.cancel();
    expect(buffer.length).toBe(0);
    const length = buffer.add({ ...TITLE, count: 1 }, ['{}']);
    expect(decodeRecordHead(buffer.bytes, 0, buffer.length)?.length).toBe(length);
    expect(buffer.last(2).toString()).toBe('{}');
  });

  it('is written in texts and numbers as it would be in one text', () => {
    const pieces = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.maxSafeNat(), fc.nat(1_000)));
    fc.assert(
      fc.property(pieces, (given) => {
        const buffer = new RecordBuffer();
        buffer.begin({ ...TITLE, count: 1 });
        buffer.beginLine();
        for (const piece of given) {
          if (typeof piece === 'number') buffer.number(piece);
          else buffer.text(piece);
        }
        expect(buffer.last(buffer.lineLength)).toEqual(Buffer.from(given.join('')));
      }),
    );
  });

  it('writes a text as JSON does', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({
        unit: fc.constantFrom(
          'a',
          '"',
          '\\',
          '\n',
          '\t',
          '\b',
          '\f',
          '\r',
          '\0',
          '\x1f',
          '\x7f',
          'é',
          '\ud800',
        ),
      }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const buffer = new RecordBuffer();
        buffer.begin({ ...TITLE, count: 1 });
        buffer.beginLine();
        buffer.quoted(text);
        expect(buffer.last(buffer.lineLength).toString()).toBe(JSON.stringify(text));
      }),
    );
  });

  it('takes ASCII of every length', () => {
    const buffer = new RecordBuffer();
    for (const length of [0, 1, 24, 25, 300_000]) {
      buffer.begin({ ...TITLE, count: 1 });
      buffer.beginLine();
      buffer.ascii('~'.repeat(length));
      buffer.finish();
      expect(buffer.last(length).toString()).toBe('~'.repeat(length));
    }
  });

  it('is never overwritten by what comes later', () => {
    const buffer = new RecordBuffer();
    const views = Array.from({ length: 2_000 }, (_, n) => {
      buffer.clear();
      buffer.add({ ...TITLE, count: 1 }, [`${n}`.padStart(1_000)]);
      return buffer.last(1_000);
    });
    for (const [n, view] of views.entries()) expect(view.toString()).toBe(`${n}`.padStart(1_000));
  });

  it.each([
    ['in the group that is put together', false],
    ['in the next group', true],
  ])('is whole wherever the block of memory ends, %s', (_name, isNextGroup) => {
    const one = record();
    for (let free = 0; free < 2 * one.length; free += 1) {
      const buffer = new RecordBuffer();
      buffer.addBytes(Buffer.alloc(262_144 - free));
      if (isNextGroup) buffer.clear();
      const start = buffer.length;
      expect(buffer.add(TITLE, ['{"a":1}', '{"b":2}'])).toBe(one.length);
      expect(buffer.bytes.subarray(start)).toEqual(one);
    }
  });

  it('stands behind others in a buffer that grows and is cleared', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200_000), { maxLength: 8 }), (sizes) => {
        const buffer = new RecordBuffer();
        for (const round of [1, 2]) {
          let end = 0;
          for (const size of sizes) {
            const line = String(round).repeat(size);
            const length = buffer.add({ ...TITLE, count: 1 }, [line]);
            expect(decodeRecordHead(buffer.bytes, end, buffer.length)?.length).toBe(length);
            end += length;
          }
          expect(buffer.length).toBe(end);
          buffer.clear();
          expect(buffer.length).toBe(0);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('the events in a record', () => {
  const event = (id: string, rest = ''): string =>
    `{"type":"thread_updated","seq":7,"id":${id},"at":1${rest},"data":{}}`;

  it.each([
    ['no thread and no run', event('"evt_1"'), { id: 'evt_1', threadId: undefined, runId: undefined }],
    ['a thread', event('"evt_1"', ',"threadId":"t"'), { threadId: 't', runId: undefined }],
    ['a run', event('"evt_1"', ',"threadId":"t","runId":"r"'), { threadId: 't', runId: 'r' }],
    ['escapes', event('"a\\"\\\\"', ',"threadId":"\\n"'), { id: 'a"\\', threadId: '\n' }],
    [
      'a type of a later version',
      event('"e"').replace('thread_updated', 'later'),
      { type: 'later', class: 'durable' },
    ],
  ])('are decoded with %s', (_what, json, expected) => {
    const source = Buffer.from(`xx${json}\n${json}yy`);
    const events = decodeEvents(source, 2, source.length - 2);
    const bytes = Buffer.byteLength(json);
    expect(events).toMatchObject([
      { ...expected, seq: 7, json, bytes },
      { seq: 7, json, bytes },
    ]);
  });

  it.each([
    ['they begin like no event', '{"seq":1}'],
    ['an id is no JSON', event('"\\q"')],
  ])('are refused when %s, by an error that says nothing of them', (_why, json) => {
    const source = Buffer.from(json);
    const refusal = expect.objectContaining({
      code: 'LOG_READ_FAILED',
      message: expect.not.stringContaining('seq'),
    });
    expect(() => decodeEvents(source, 0, source.length)).toThrow(refusal);
  });

  it.each(['', '{"seq":1}', '{"type":"x","id":"evt', '{"type":"x","id":"evt\\'])(
    'have no last id when they end with %s',
    (json) => {
      const source = Buffer.from(`${json}\n{"id":"behind"}`);
      const refusal = expect.objectContaining({ code: 'LOG_READ_FAILED' });
      expect(() => lastEventId(source, 0, json.length)).toThrow(refusal);
    },
  );

  it.each(['evt_1', 'with "quotes"', '\\', '\\"', '\\\\"'])('end with an event whose id is %s', (id) => {
    const first = event('"evt_0"');
    const last = event(JSON.stringify(id), ',"threadId":"x\\",\\"id\\":\\"fake"');
    const source = Buffer.from(`{"id":"before"}\n${first}\n${last}\n{"id":"behind"}`);
    const start = source.indexOf(first);
    expect(lastEventId(source, start, source.indexOf('\n{"id":"behind"}'))).toBe(id);
    expect(lastEventId(source, start, start + first.length)).toBe('evt_0');
  });

  it.each([
    ['agent_started', 1],
    ['agent_completed', 1],
    ['agent_delta', 0],
    ['erased', 0],
  ] as const)('are marked when they begin or end a run: %s', (type, flags) => {
    expect(recordFlags([{ type: 'agent_thinking' }, { type }])).toBe(flags);
  });
});
