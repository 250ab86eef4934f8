import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { RecordBuffer } from '../src/record-buffer.js';
import { decodeRecordHead, RECORD_FIXED_BYTES, RECORD_KIND } from '../src/record-format.js';
import { decodeSegmentHeader, encodeSegmentHeader, FORMAT_VERSION } from '../src/segment-format.js';
import { producerOf, userOf } from '../src/segment-scan.js';

const DOCUMENT = readFileSync(new URL('../FORMAT.md', import.meta.url), 'utf8');

const HEADER = { epoch: 'evt_epoch', number: 1, through: 1, previousEnd: 0, isRewritten: false };
const TITLE = {
  kind: RECORD_KIND.events,
  flags: 0,
  userId: 'usr_1',
  producer: { id: 'cmd:1', attempt: 1, n: 1 },
  firstSeq: 1,
  count: 1,
  at: 1_700_000_000_000,
};
const EVENT =
  '{"type":"thread_updated","seq":1,"id":"evt_1","at":1700000000000,"threadId":"thr_1","data":{"title":"Hi"}}';

interface Field {
  readonly offset: number;
  /** 0: text, as long as its example. */
  readonly bytes: number;
  readonly example: string;
}

describe('FORMAT.md', () => {
  const example = exampleBytes();
  const header = encodeSegmentHeader(HEADER);

  it('is about the version that is written', () => {
    expect(DOCUMENT).toMatch(new RegExp(`^Version ${FORMAT_VERSION}\\.`, 'm'));
  });

  it('shows the bytes that the code writes', () => {
    const record = new RecordBuffer();
    record.add(TITLE, [EVENT]);
    expect(example.toString('hex')).toBe(Buffer.concat([header, record.bytes]).toString('hex'));
  });

  it('shows bytes that the code reads', () => {
    expect(decodeSegmentHeader(example)).toEqual({ ...HEADER, length: header.length });
    const head = decodeRecordHead(example, header.length, example.length);
    if (head === undefined) throw new Error('no record');
    const record = { head, source: example, start: header.length, offset: header.length };
    expect([userOf(record), producerOf(record)]).toEqual([TITLE.userId, TITLE.producer.id]);
    expect(header.length + head.length).toBe(example.length);
    expect(DOCUMENT).toContain(`begins at offset ${header.length},`);
  });

  it.each([
    ['The header of a segment', 0, header.length - HEADER.epoch.length],
    ['A record', header.length, RECORD_FIXED_BYTES],
  ])('says of every byte what it is: %s', (title, start, fixedBytes) => {
    let next = 0;
    for (const { offset, bytes, example: value } of fieldsOf(title)) {
      expect(offset).toBe(next);
      next = offset + bytes;
      const at = start + offset;
      if (bytes === 0) expect(example.toString('utf8', at, at + value.length)).toBe(value);
      else if (value !== '')
        expect([offset, example.readUIntLE(at, Math.min(bytes, 6))]).toEqual([offset, +value]);
    }
    expect(next).toBe(fixedBytes);
  });
});

/** The bytes of the one hexdump. */
function exampleBytes(): Buffer {
  const dump = /^```hexdump\n(.*?)^```$/ms.exec(DOCUMENT)?.[1] ?? '';
  const digits = dump.replaceAll(/^[0-9a-f]{8} | +\|.*\|$|\s/gm, '');
  return Buffer.from(digits, 'hex');
}

/** The rows of the table of bytes under a heading. */
function fieldsOf(title: string): readonly Field[] {
  const section = DOCUMENT.split(/^## /m).find((text) => text.startsWith(`${title}\n`)) ?? '';
  const rows = section.matchAll(/^\| +(\d+) \| +(\d*) \| \w+ +\| (\S*) +\|/gm);
  return [...rows].map(([, offset, bytes, example = '']) => ({
    offset: Number(offset),
    bytes: Number(bytes),
    example,
  }));
}
