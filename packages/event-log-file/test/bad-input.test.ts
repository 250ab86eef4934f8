import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createIdGenerator, type RunId, type ThreadId, type UserId } from '@runwire/id-generation';
import { createRecordingLogger } from '@runwire/kernel/testing';
import type { EventDraft } from '@runwire/protocol';
import {
  createNodeDisk,
  type FileEventLog,
  type FileEventLogOptions,
  openFileEventLog,
} from '../src/index.js';
import { encodeSegmentHeader, segmentName } from '../src/segment-format.js';
import { createMemoryDisk, diskError } from '../src/testing/index.js';
import { codeOf, renamed } from './support/calls.js';
import { createTurningClock } from './support/turning-clock.js';

const clock = createTurningClock();
const ids = createIdGenerator({ clock });
const user = ids.userId();
const threadId = ids.threadId();
const deps = { clock, ids, logger: createRecordingLogger() };

let root: string;
let directory: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'runwire-log-'));
  directory = join(root, 'events');
});

afterEach(async () => await rm(root, { recursive: true, force: true }));

const open = (options: Partial<FileEventLogOptions> = {}): Promise<FileEventLog> =>
  openFileEventLog(deps, { directory, ...options });

async function titles(log: FileEventLog, who: UserId = user): Promise<readonly string[]> {
  const { epoch, first } = await log.stream(who);
  const page = await log.read(who, {
    after: { epoch, seq: first - 1 },
    limitEvents: 99,
    limitBytes: 9_999_999,
  });
  if (page.kind === 'reset') throw new Error(page.reason);
  return page.events.map(({ json }) => (JSON.parse(json) as { data: { title: string } }).data.title);
}

/** A log with two segments. */
async function written(): Promise<void> {
  await using log = await open({ maxSegmentBytes: 300 });
  await log.append(user, [renamed(threadId, '1'.repeat(200))]);
  await log.append(user, [renamed(threadId, '2'.repeat(200))]);
}

/** Every file with its bytes. */
async function contents(): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(directory)).sort();
  const files = await Promise.all(names.map((name) => readFile(join(directory, name), 'base64')));
  return Object.fromEntries(names.map((name, index) => [name, files[index] ?? '']));
}

describe('a folder that is no log, or not this one', () => {
  const SECOND = segmentName(2);
  const THIRD = segmentName(3);
  const header = (epoch: string, number: number): Buffer =>
    encodeSegmentHeader({ epoch, number, through: number, previousEnd: 60, isRewritten: false });

  it.each<[string, string, () => Buffer, string, string]>([
    [
      'a file of something else under a name of ours',
      THIRD,
      () => Buffer.from('PK\u0003\u0004 this is a zip file, forty bytes of it and more'),
      'LOG_FOREIGN_FILE',
      `${THIRD} is no segment of an event log: move it out of the folder.`,
    ],
    [
      'a short file of something else',
      THIRD,
      () => Buffer.from('todo'),
      'LOG_FOREIGN_FILE',
      `${THIRD} is no segment of an event log: move it out of the folder.`,
    ],
    [
      'a segment of a later version',
      THIRD,
      () => laterVersion(header('evt_x', 3)),
      'LOG_VERSION_UNSUPPORTED',
      `${THIRD} has format version 2, this version of the log reads version 1: use the version that wrote it, or a newer one.`,
    ],
    [
      'a segment under the name of another',
      THIRD,
      () => header('evt_x', 7),
      'LOG_FOREIGN_FILE',
      `${THIRD} is segment 7 of a log under another name: move it out of the folder.`,
    ],
    [
      'a segment of another log',
      SECOND,
      () => header('evt_other', 2),
      'LOG_FOREIGN_FILE',
      expect.stringMatching(
        /^0000000002\.log belongs to another log than the segments before it \(epoch evt_other, not evt_\w+\): move it out of the folder\.$/,
      ) as unknown as string,
    ],
  ])('is refused, and nothing in it is changed: %s', async (_what, name, bytes, code, message) => {
    await written();
    await writeFile(join(directory, name), bytes());
    await writeFile(join(directory, '0000000001.tmp'), 'a rewrite that was cut short');
    const before = await contents();
    await expect(open()).rejects.toMatchObject({
      name: 'FileLogError',
      code,
      message,
      details: { file: name },
    });
    expect(await contents()).toEqual(before);
    await rm(join(directory, name));
    await using log = await open();
    expect((await titles(log)).length).toBeGreaterThan(0);
  });

  it('is opened when the other files in it do not look like segments, which are left alone', async () => {
    await mkdir(directory);
    const others = ['notes.tmp', 'README', '1.log', '00000000001.log', '0000000001.log.bak'];
    for (const name of others) await writeFile(join(directory, name), 'mine');
    await written();
    expect(await readdir(directory)).toEqual(expect.arrayContaining(others));
    expect(await readFile(join(directory, 'notes.tmp'), 'utf8')).toBe('mine');
  });

  it('is rid of a rewrite that was cut short', async () => {
    await written();
    await writeFile(join(directory, '0000000001.tmp'), 'half of it');
    await using log = await open();
    expect(await readdir(directory)).not.toContain('0000000001.tmp');
    expect(await titles(log)).toHaveLength(2);
  });

  it('is opened when the file of a segment that was merged into another is still there', async () => {
    const disk = createMemoryDisk();
    const inMemory = { directory: 'memory', maxSegmentBytes: 4_000 };
    const first = await openFileEventLog({ ...deps, disk }, { ...inMemory, maxSegmentBytes: 300 });
    for (const title of ['1', '2', '3']) await first.append(user, [renamed(threadId, title.repeat(150))]);
    await first.close();
    const second = disk.contents(segmentName(2));
    const log = await openFileEventLog({ ...deps, disk }, inMemory);
    await log.compact();
    await log.close();
    expect(disk.list()).not.toContain(segmentName(2));
    disk.setContents(segmentName(2), second);
    await using again = await openFileEventLog({ ...deps, disk }, inMemory);
    expect(await titles(again)).toHaveLength(3);
    expect(again.stats().damage).toEqual([]);
    expect(disk.list()).not.toContain(segmentName(2));
  });
});

describe('a place where no log can be', () => {
  it('a path that is a file', async () => {
    await writeFile(directory, 'a file');
    await expect(open()).rejects.toMatchObject({
      code: 'LOG_FOLDER_UNUSABLE',
      message: `The event log cannot use ${directory}, which is not a folder (EEXIST): remove the file, or choose another path.`,
      details: { path: directory, code: 'EEXIST' },
    });
    expect(await readFile(directory, 'utf8')).toBe('a file');
  });

  it('a path through a file', async () => {
    await writeFile(directory, 'a file');
    const deeper = join(directory, 'deeper');
    await expect(open({ directory: deeper })).rejects.toMatchObject({
      code: 'LOG_FOLDER_UNUSABLE',
      message: `The event log cannot use ${deeper}, which is not a folder (ENOTDIR): remove the file, or choose another path.`,
    });
  });

  it('a folder of another user of the system', async () => {
    await mkdir(directory);
    await chmod(directory, 0o000);
    const refused = asAnybody(() => open());
    await expect(refused).rejects.toMatchObject({
      code: 'LOG_FOLDER_UNUSABLE',
      message: `The event log cannot use ${directory}, which cannot be read and written by this user (EACCES): change its owner or mode, or choose another path.`,
    });
    await chmod(directory, 0o700);
  });

  it('a segment of another user of the system', async () => {
    await written();
    const file = join(directory, segmentName(1));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const disk = createNodeDisk(directory);
    await chmod(root, 0o755);
    await chmod(directory, 0o755);
    await chmod(file, 0o000);
    expect(() => asAnybody(() => disk.open(segmentName(1)))).toThrow(
      `The event log cannot use ${file}, which cannot be read and written by this user (EACCES): change its owner or mode, or choose another path.`,
    );
  });

  // No test can mount a disk read-only; what the system says of one comes from a disk in memory.
  it('a disk that is read-only', async () => {
    const disk = createMemoryDisk();
    disk.onOperation = () => {
      throw diskError('EROFS');
    };
    await expect(openFileEventLog({ ...deps, disk }, { directory: 'memory' })).rejects.toMatchObject({
      code: 'LOG_FOLDER_UNUSABLE',
      message:
        'The event log cannot use memory, which is on a disk that is read-only (EROFS): make it writable, or choose another path.',
    });
  });

  it('the folder of an open log, in the same process', async () => {
    await using log = await open();
    expect(await open().then(() => 'open', codeOf)).toBe('LOG_IN_USE');
    await log.append(user, [renamed(threadId, 'still mine')]);
    expect(await titles(log)).toEqual(['still mine']);
  });

  it('leaves the folder free when opening fails', async () => {
    await written();
    await writeFile(join(directory, segmentName(3)), 'todo');
    expect(await open().then(() => 'open', codeOf)).toBe('LOG_FOREIGN_FILE');
    expect(await open().then(() => 'open', codeOf)).toBe('LOG_FOREIGN_FILE');
  });

  it.each([
    [{ directory: '' }, 'directory', 'directory must be the path of a folder, not .'],
    [{ fsync: 'sometimes' as 'never' }, 'fsync', 'fsync must be never, interval, always, not sometimes.'],
    [{ maxSegmentBytes: 0 }, 'maxSegmentBytes', 'maxSegmentBytes must be a whole number from 1 on, not 0.'],
    [
      { maxSegmentBytes: 2 ** 32 },
      'maxSegmentBytes',
      'maxSegmentBytes must be at most 4294967295, not 4294967296.',
    ],
    [
      { maxWaitingAppends: 1.5 },
      'maxWaitingAppends',
      'maxWaitingAppends must be a whole number from 1 on, not 1.5.',
    ],
    [
      { retention: { maxBytes: -1 } },
      'retention.maxBytes',
      'retention.maxBytes must be a whole number from 1 on, not -1.',
    ],
  ])('options that make no sense: %j', async (options, option, message) => {
    await expect(open(options)).rejects.toMatchObject({
      code: 'LOG_INVALID_OPTION',
      details: { option },
      message,
    });
    expect(await readdir(root)).toEqual([]);
  });
});

describe('what is appended comes back byte for byte, from memory, from the disk, after a restart', () => {
  const ALL_BYTES = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code));
  const TEXTS = [
    ['surrogates without a partner', '\ud83d half \ude00 \udfff\ud800'],
    ['an emoji cut between two chunks', `${'x'.repeat(9)}\u{1f600}`.slice(0, 10)],
    ['NUL and every other control character', ALL_BYTES],
    ['quotes, backslashes and line ends', '"\\"\n\r\n\u2028\u2029\\n\\u0000'],
    ['four-byte characters', '\u{1f469}\u200d\u{1f469}\u200d\u{1f467} 漢字 ñ'],
    ["a record's first bytes", '\u00a7RW\u001a §RW'],
  ] as const;

  it.each(TEXTS)('%s', async (_what, text) => {
    const log = await open();
    await log.append(user, [renamed(threadId, text), renamed(threadId, `${text}${text}`)]);
    expect(await titles(log)).toEqual([text, `${text}${text}`]);
    await log.close();
    await using again = await open();
    expect(await titles(again)).toEqual([text, `${text}${text}`]);
    expect(again.stats()).toMatchObject({ damage: [], tornBytes: 0 });
  });

  it('ids with quotes, line ends and any alphabet', async () => {
    const strange = 'é"\n\\\u{1f600}\u0000§RW\u001a';
    const who = `user ${strange}` as UserId;
    const run = { threadId: `thread ${strange}` as ThreadId, runId: `run ${strange}` as RunId };
    const producer = { id: `cmd ${strange}`, attempt: 1, n: 1 };
    const strangeIds = { ...deps, ids: { eventId: () => `${ids.eventId()}${strange}` as never } };
    const draft: EventDraft = {
      type: 'agent_started',
      ...run,
      data: { agent: 'demo', messageId: strange, attempt: 1 },
    };
    const log = await openFileEventLog(strangeIds, { directory });
    const result = await log.append(who, [draft], { producer });
    await log.close();
    await using again = await openFileEventLog(strangeIds, { directory });
    expect(await again.append(who, [draft], { producer })).toEqual({ ...result, duplicate: true });
    expect(await again.openRuns(who)).toEqual([{ userId: who, ...run, attempt: 1, firstSeq: 1 }]);
    const page = await again.read(who, {
      after: { epoch: result.epoch, seq: 0 },
      limitEvents: 9,
      limitBytes: 9_999,
    });
    expect(page).toMatchObject({ kind: 'page', events: [{ id: result.lastId, ...run }] });
    expect(await again.erase(who, { threadId: run.threadId })).toBe(1);
  });

  it('an id that would not come back is refused, and leaves no trace', async () => {
    await using log = await open();
    const draft = renamed(threadId, 'x');
    const lone = `user_\ud800` as UserId;
    const long = 'é'.repeat(32_768) as UserId;
    expect(await log.append(lone, [draft]).catch(codeOf)).toBe('NOT_ENCODABLE');
    expect(await log.append(long, [draft]).catch(codeOf)).toBe('NOT_ENCODABLE');
    const key = (id: string, attempt = 1) => ({ producer: { id, attempt, n: 1 } });
    expect(await log.append(user, [draft], key('cmd_\udfff')).catch(codeOf)).toBe('NOT_ENCODABLE');
    expect(await log.append(user, [draft], key('a'.repeat(65_536))).catch(codeOf)).toBe('NOT_ENCODABLE');
    expect(await log.append(user, [draft], key('b', 2 ** 48)).catch(codeOf)).toBe('NOT_ENCODABLE');
    expect(await log.append(user, [draft], key('a'.repeat(65_535), 2 ** 48 - 1))).toMatchObject({
      firstSeq: 1,
    });
    expect(log.stats().records).toBe(1);
  });

  it('an event of the largest size, many in one append', async () => {
    const log = await open();
    const large = 'x'.repeat(262_144 - 200);
    await log.append(
      user,
      Array.from({ length: 20 }, (_, index) => renamed(threadId, `${index}${large}`)),
    );
    await log.close();
    await using again = await open();
    expect((await titles(again)).map((title) => title.length)).toEqual(
      Array.from({ length: 20 }, (_, index) => large.length + String(index).length),
    );
  });
});

/** As a user of the system who may do nothing here. */
function asAnybody<T>(act: () => T): T {
  if (process.getuid?.() !== 0) return act();
  process.seteuid?.('nobody');
  try {
    return act();
  } finally {
    process.seteuid?.(0);
  }
}

/** The header as version 2 would write it. */
function laterVersion(header: Buffer): Buffer {
  header.writeUInt8(2, 8);
  const CHECKSUM_AT = 24;
  header.writeUInt32LE(crc32(header.subarray(28), crc32(header.subarray(0, CHECKSUM_AT))), CHECKSUM_AT);
  return header;
}
