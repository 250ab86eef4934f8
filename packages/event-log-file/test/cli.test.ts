import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createIdGenerator, type UserId } from '@runwire/id-generation';
import { createRecordingLogger } from '@runwire/kernel/testing';
import { runCli } from '../src/cli-command.js';
import { type FileEventLog, type FileEventLogOptions, openFileEventLog } from '../src/index.js';
import { createReadOnlyDisk } from '../src/inspect-disk.js';
import { renamed } from './support/calls.js';
import { createTurningClock } from './support/turning-clock.js';

const NEWEST = '0000000001.log';

describe('runwire-log', () => {
  const clock = createTurningClock();
  const ids = createIdGenerator({ clock });
  const alice = ids.userId();
  const bob = ids.userId();
  const thread = ids.threadId();
  let folder: string;
  let directory: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runwire-cli-'));
    directory = join(folder, 'log');
  });

  afterEach(async () => await rm(folder, { recursive: true, force: true }));

  function open(options: Partial<FileEventLogOptions> = {}): Promise<FileEventLog> {
    return openFileEventLog({ clock, ids, logger: createRecordingLogger() }, { directory, ...options });
  }

  async function append(log: FileEventLog, userId: UserId, ...titles: readonly string[]): Promise<void> {
    await log.append(
      userId,
      titles.map((title) => renamed(thread, title)),
    );
  }

  /** A log with three events of one user and one of another. */
  async function writeLog(): Promise<void> {
    await using log = await open();
    await append(log, alice, 'one', 'two');
    await append(log, bob, 'secret');
    await append(log, alice, 'three');
  }

  interface Follow {
    /** Called in place of waiting; false ends the following. */
    readonly wait: (round: number, stdout: string) => Promise<boolean>;
  }

  async function runwireLog(args: readonly string[], { wait }: Follow = { wait: async () => false }) {
    const stopped = new AbortController();
    let [stdout, stderr, round] = ['', '', 0];
    const code = await runCli(args, {
      stdout: (text) => {
        stdout += text;
      },
      stderr: (text) => {
        stderr += text;
      },
      openDisk: createReadOnlyDisk,
      clock,
      pause: async () => {
        round += 1;
        if (!(await wait(round, stdout))) stopped.abort();
      },
      signal: stopped.signal,
    });
    return { code, stdout, stderr };
  }

  async function verify() {
    const { code, stdout } = await runwireLog(['verify', directory, '--json']);
    return { code, ...JSON.parse(stdout) };
  }

  async function damage(offsetFromEnd: number, name = NEWEST): Promise<void> {
    const bytes = await readFile(join(directory, name));
    bytes.writeUInt8(bytes.readUInt8(bytes.length - offsetFromEnd) ^ 1, bytes.length - offsetFromEnd);
    await writeFile(join(directory, name), bytes);
  }

  /** Cuts the newest segment short by so many bytes. */
  async function cut(bytes: number): Promise<void> {
    const whole = await readFile(join(directory, NEWEST));
    await writeFile(join(directory, NEWEST), whole.subarray(0, whole.length - bytes));
  }

  /** What tail prints: user and title of each event. */
  function titles(stdout: string): readonly (readonly [unknown, unknown])[] {
    const lines = stdout.split('\n').filter((line) => line !== '');
    return lines.map((line) => {
      const { userId, event } = JSON.parse(line);
      return [userId, event.data.title ?? event.type];
    });
  }

  describe('verify', () => {
    it('calls a log sound that was closed, and shows nothing of its events', async () => {
      await writeLog();
      const { code, stdout, stderr } = await runwireLog(['verify', directory]);
      const { size } = await stat(join(directory, NEWEST));
      const total = `${size.toLocaleString('en')} bytes`;
      expect(stdout).toBe(`sound: 1 segment, 3 records, 4 events of 2 users, ${total}\n`);
      expect([code, stderr]).toEqual([0, '']);
    });

    it('changes nothing in the folder, and needs no lock, while a writer has it', async () => {
      await using log = await open();
      await append(log, alice, 'one');
      const before = await readdir(directory);
      const bytes = await readFile(join(directory, NEWEST));
      expect(await verify()).toMatchObject({ code: 0, isSound: true, events: 1 });
      expect(await readdir(directory)).toEqual(before);
      expect(await readFile(join(directory, NEWEST))).toEqual(bytes);
      await append(log, alice, 'two');
      expect(await verify()).toMatchObject({ code: 0, events: 2 });
    });

    it('names file, offset, bytes and reason of a record in which one bit is wrong', async () => {
      await using log = await open();
      await append(log, alice, 'one');
      const offset = (await readFile(join(directory, NEWEST))).length;
      await append(log, bob, 'secret');
      const bytes = (await readFile(join(directory, NEWEST))).length - offset;
      await append(log, bob, 'later');
      await damage((await readFile(join(directory, NEWEST))).length - offset - bytes + 5);

      const { code, stdout } = await runwireLog(['verify', directory]);
      const at = `${NEWEST} at ${offset}, ${bytes} bytes: These bytes are no valid record.`;
      const gap = `${NEWEST} at ${offset + bytes}, 0 bytes: Event 1 of ${bob} should come before, and does not.`;
      expect(stdout.split('\n').slice(0, 2)).toEqual([at, gap]);
      expect(stdout).toMatch(/^damaged in 2 places: /m);
      expect(stdout).not.toContain('secret');
      expect(code).toBe(1);
    });

    it('does not call the events of others missing when asked for one user', async () => {
      await writeLog();
      const bytes = await readFile(join(directory, NEWEST));
      // The first record, of which the second of the same user shows that it is missing.
      await damage(bytes.length - bytes.indexOf('one'));
      const all = await runwireLog(['verify', directory]);
      const ofBob = await runwireLog(['verify', directory, '--user', bob]);
      expect(all.stdout).toContain(`Events 1 to 2 of ${alice}`);
      expect(ofBob.stdout).not.toContain(alice);
      expect([all.code, ofBob.code]).toEqual([1, 1]);
    });

    it('names the header when that is damaged', async () => {
      await writeLog();
      const { length } = await readFile(join(directory, NEWEST));
      await damage(length - 20);
      const { code, problems } = await verify();
      expect(problems).toMatchObject([
        { file: NEWEST, offset: 0, reason: expect.stringContaining('header') },
      ]);
      expect(code).toBe(1);
    });

    it('does not call an unfinished write at the end damage', async () => {
      await writeLog();
      await cut(1);
      const { code, torn, problems } = await verify();
      expect([code, problems]).toEqual([0, []]);
      expect(torn).toMatchObject({ file: NEWEST, offset: expect.any(Number), bytes: expect.any(Number) });
      expect((await runwireLog(['verify', directory])).stdout).toContain('An unfinished write');
    });

    it('misses a segment that was taken away', async () => {
      {
        await using log = await open({ maxSegmentBytes: 200 });
        for (const title of ['one', 'two', 'three']) await append(log, alice, title);
      }
      expect(await verify()).toMatchObject({ code: 0 });
      await rm(join(directory, '0000000002.log'));
      const { code, problems } = await verify();
      expect(code).toBe(1);
      expect(problems).toMatchObject([
        { file: '0000000003.log', reason: expect.stringContaining('Event 2 of') },
      ]);
    });

    it('misses nothing that retention, trimming, erasure and compaction have removed', async () => {
      await using log = await open({ maxSegmentBytes: 1_000, retention: { maxEvents: 5 } });
      const other = ids.threadId();
      for (let round = 0; round < 40; round += 1) {
        await append(log, alice, `a${round}`);
        if (round % 7 === 0) await log.append(bob, [renamed(other, 'secret'), renamed(thread, 'kept')]);
        if (round === 20) await log.trim(bob, { before: 3 });
        if (round === 30) await log.erase(bob, { threadId: other });
        if (round % 10 === 9) await log.compact();
        expect(await verify()).toMatchObject({ code: 0, isSound: true, problems: [] });
      }
      expect(log.stats().segments).toBeLessThan(10);
    });
  });

  describe('stats', () => {
    it('counts what is there', async () => {
      await writeLog();
      const { code, stdout } = await runwireLog(['stats', directory, '--json']);
      const { size } = await stat(join(directory, NEWEST));
      const report = JSON.parse(stdout);
      expect(report).toMatchObject({
        formatVersion: 1,
        segments: 1,
        bytes: size,
        deadBytes: 0,
        records: 3,
        events: 4,
        liveEvents: 4,
        users: 2,
        damagedPlaces: 0,
        oldest: new Date(clock.nowMs()).toISOString(),
        biggestUsers: [
          { userId: alice, first: 1, head: 3, events: 3, records: 2 },
          { userId: bob, first: 1, head: 1, events: 1, records: 1 },
        ],
      });
      expect(report.epoch).toMatch(/^evt_/);
      expect(code).toBe(0);
    });

    it('shows the ten biggest users and nothing of their events', async () => {
      {
        await using log = await open();
        for (let user = 0; user < 11; user += 1) await append(log, ids.userId(), 'secret');
      }
      const { stdout } = await runwireLog(['stats', directory]);
      expect(stdout.match(/^usr_/gm)).toHaveLength(10);
      expect(stdout).toMatch(/^users +11$/m);
      expect(stdout).not.toContain('secret');
    });

    it('counts one user alone', async () => {
      await writeLog();
      const { stdout } = await runwireLog(['stats', directory, '--json', '--user', bob]);
      expect(JSON.parse(stdout)).toMatchObject({ liveEvents: 1, biggestUsers: [{ userId: bob }] });
    });

    it('says that the log is damaged', async () => {
      await writeLog();
      await damage((await readFile(join(directory, NEWEST))).length - 60);
      const { code, stderr } = await runwireLog(['stats', directory]);
      expect([code, stderr]).toEqual([1, 'runwire-log: The log is damaged; verify says where.\n']);
    });
  });

  describe('tail', () => {
    it('shows the events of all users as they are stored, in the order of the log', async () => {
      await writeLog();
      const { code, stdout } = await runwireLog(['tail', directory]);
      const stored = await readFile(join(directory, NEWEST), 'utf8');
      const lines = stdout.trimEnd().split('\n');
      expect(lines.map((line) => JSON.parse(line).data.title)).toEqual(['one', 'two', 'secret', 'three']);
      for (const line of lines) expect(stored).toContain(line);
      expect(code).toBe(0);
    });

    it.each([
      [0, []],
      [1, ['three']],
      [2, ['secret', 'three']],
      [3, ['two', 'secret', 'three']],
      [5, ['one', 'two', 'secret', 'three']],
    ])('shows the last %i', async (count, expected) => {
      await writeLog();
      const { stdout } = await runwireLog(['tail', directory, '-n', String(count), '--json']);
      expect(titles(stdout).map(([, title]) => title)).toEqual(expected);
    });

    it('shows ten unless told otherwise, of one user when told', async () => {
      {
        await using log = await open();
        for (let event = 1; event <= 11; event += 1) await append(log, alice, String(event));
        await append(log, bob, 'secret');
      }
      const { stdout } = await runwireLog(['tail', directory, '--user', alice, '--json']);
      expect(titles(stdout)).toEqual(Array.from({ length: 10 }, (_, index) => [alice, String(index + 2)]));
    });

    it('shows nothing that was trimmed or erased, even while it is still on the disk', async () => {
      await using log = await open();
      const other = ids.threadId();
      await log.append(alice, [renamed(thread, 'one'), renamed(other, 'secret'), renamed(thread, 'three')]);
      await log.trim(alice, { before: 2 });
      await log.erase(alice, { threadId: other });
      expect(await readFile(join(directory, NEWEST), 'utf8')).toContain('secret');
      const { stdout } = await runwireLog(['tail', directory, '--json']);
      expect(titles(stdout)).toEqual([
        [alice, 'erased'],
        [alice, 'three'],
      ]);
    });

    it('follows what is appended, once and in order, through new segments and compaction', async () => {
      await using log = await open({ maxSegmentBytes: 400 });
      await append(log, alice, '0');
      const { code, stdout } = await runwireLog(['tail', directory, '--follow', '--json'], {
        wait: async (round) => {
          for (let event = 0; event < 3; event += 1) await append(log, alice, `${round}.${event}`);
          await append(log, bob, `${round}.bob`);
          if (round % 2 === 0) await log.trim(alice, { before: round * 3 - 2 });
          if (round % 3 === 0) await log.compact();
          return round < 12;
        },
      });
      const expected = Array.from({ length: 11 }, (_, index) => {
        return [...[0, 1, 2].map((event) => [alice, `${index + 1}.${event}`]), [bob, `${index + 1}.bob`]];
      });
      expect(titles(stdout)).toEqual([[alice, '0'], ...expected.flat()]);
      expect(code).toBe(0);
    });

    it('shows an event whose write is under way when that is whole', async () => {
      await writeLog();
      const whole = await readFile(join(directory, NEWEST));
      await cut(3);
      const { stdout } = await runwireLog(['tail', directory, '-f', '-n', '1', '--json', '--user', alice], {
        wait: async (round) => {
          if (round === 2) await writeFile(join(directory, NEWEST), whole);
          return round < 3;
        },
      });
      expect(titles(stdout)).toEqual([
        [alice, 'two'],
        [alice, 'three'],
      ]);
    });

    it('waits for a user of whom there is nothing yet', async () => {
      await using log = await open();
      const { stdout } = await runwireLog(['tail', directory, '-f', '--json', '--user', bob], {
        wait: async (round) => {
          await append(log, round === 1 ? bob : alice, 'first');
          return round < 2;
        },
      });
      expect(titles(stdout)).toEqual([[bob, 'first']]);
    });

    it('ends with an error when the folder goes while it follows', async () => {
      await writeLog();
      const { code, stderr } = await runwireLog(['tail', directory, '-f'], {
        wait: async () => {
          await rm(directory, { recursive: true });
          return true;
        },
      });
      expect([code, stderr]).toEqual([2, `runwire-log: ${directory} does not exist (ENOENT).\n`]);
    });
  });

  describe('what is no log', () => {
    it.each(['verify', 'stats', 'tail'])('is refused by %s: no folder, and none is made', async (command) => {
      const { code, stderr, stdout } = await runwireLog([command, directory]);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toBe(`runwire-log: ${directory} does not exist (ENOENT).\n`);
      expect(await readdir(folder)).toEqual([]);
    });

    it('is refused: an empty folder', async () => {
      await mkdir(directory);
      const { code, stderr } = await runwireLog(['verify', directory]);
      expect([code, stderr]).toEqual([2, expect.stringContaining('has no event log in it')]);
      expect(await readdir(directory)).toEqual([]);
    });

    it('is refused: a file', async () => {
      await writeFile(directory, 'not a folder');
      const { code, stderr } = await runwireLog(['verify', directory]);
      expect([code, stderr]).toEqual([2, `runwire-log: ${directory} is not a folder (ENOTDIR).\n`]);
    });

    it('is refused: a file of somebody else under the name of a segment', async () => {
      await writeLog();
      await writeFile(join(directory, '0000000002.log'), 'the diary of somebody else');
      const { code, stderr } = await runwireLog(['verify', directory]);
      expect([code, stderr]).toEqual([2, expect.stringContaining('0000000002.log is no segment')]);
    });

    it('is refused: a segment of a later version', async () => {
      await writeLog();
      const later = await laterVersion(join(directory, NEWEST));
      await writeFile(join(directory, NEWEST), later);
      const { code, stderr } = await runwireLog(['verify', directory]);
      expect([code, stderr]).toEqual([2, expect.stringContaining('format version 2')]);
    });
  });

  describe('wrong use', () => {
    it.each([
      [[], 'Expected verify, stats or tail.'],
      [['repair', 'x'], 'Expected verify, stats or tail, not repair.'],
      [['verify'], 'verify needs the folder of a log.'],
      [['verify', ''], 'verify needs the folder of a log.'],
      [['verify', 'x', 'y'], 'verify takes one folder, not 2.'],
      [['verify', 'x', '--follow'], '--count and --follow are for tail, not for verify.'],
      [['stats', 'x', '-n', '3'], '--count and --follow are for tail, not for stats.'],
      [['tail', 'x', '-n', 'many'], '--count must be a whole number up to 999999999, not many.'],
      [['tail', 'x', '--fast'], "Unknown option '--fast'"],
    ])('is answered with what was expected: %j', async (args, expected) => {
      const { code, stdout, stderr } = await runwireLog(args);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain(`runwire-log: ${expected}`);
      expect(stderr).toContain('runwire-log --help');
    });

    it.each(['verify', 'stats', 'tail'])('is a user that the log does not know: %s', async (command) => {
      await writeLog();
      const { code, stdout, stderr } = await runwireLog([command, directory, '--user', 'usr_nobody']);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain('The log knows no user usr_nobody.');
    });

    it('is none to ask for help', async () => {
      const { code, stdout, stderr } = await runwireLog(['--help']);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/^runwire-log: .*\n\nUsage: /);
    });
  });
});

/** The bytes of a segment whose header says version 2 and is otherwise whole. */
async function laterVersion(path: string): Promise<Uint8Array> {
  const { crc32 } = await import('node:zlib');
  const bytes = await readFile(path);
  bytes.writeUInt8(2, 8);
  const length = 28 + bytes.readUInt8(9);
  bytes.writeUInt32LE(crc32(bytes.subarray(28, length), crc32(bytes.subarray(0, 24))), 24);
  return bytes;
}
