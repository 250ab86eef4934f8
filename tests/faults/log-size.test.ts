import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect } from '@jest/globals';
import { type FileEventLog, openFileEventLog } from '@runwire/event-log-file';
import { createIdGenerator, type UserId } from '@runwire/id-generation';
import { createSystemClock, type Logger } from '@runwire/kernel';
import { faultRow, type Row, roundsOf } from './rows.js';

const clock = createSystemClock();
const ids = createIdGenerator({ clock });
const logger: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => logger };
const USERS = 1_000;
const MB = 1_000_000;
const MAX_INDEX_BYTES = 64 * MB;
/** The user whose events are looked at when the log is open again. */
const READ = 7;

describe('a log that has grown', () => {
  faultRow(['restart', 'with 100,000 events in the log'], (row) => opens(row, 100_000, 1_000));
  faultRow(['restart', 'with 1,000,000 events in the log'], (row) => opens(row, 1_000_000, 5_000), 240_000);
});

/** Times are of the processor: the time it takes on a machine that has nothing else to do. */
async function opens(row: Row, events: number, maxMs: number): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'runwire-size-'));
  try {
    const users = Array.from({ length: USERS }, () => ids.userId());
    await fill(directory, users, events);
    const times: number[] = [];
    let largestBytes = 0;
    for (let round = 0; round < roundsOf(3); round += 1) {
      const before = usedBytes();
      const since = process.cpuUsage();
      const log = await openFileEventLog({ clock, ids, logger }, { directory });
      const { user, system } = process.cpuUsage(since);
      times.push((user + system) / 1_000);
      largestBytes = Math.max(largestBytes, usedBytes() - before);
      await verify(log, users, events);
      await log.close();
      row.round();
    }
    const openMs = Math.max(...times);
    row.most('ms to open', openMs);
    row.most('MB of memory', largestBytes / MB);
    expect(openMs).toBeLessThanOrEqual(maxMs);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** One record for each event, which is the most that it can take to find them. */
async function fill(directory: string, users: readonly UserId[], events: number): Promise<void> {
  await using log = await openFileEventLog({ clock, ids, logger }, { directory });
  const threadId = ids.threadId();
  const messageId = ids.messageId();
  const runs = users.map(() => ids.runId(threadId));
  for (let round = 1; round <= events / users.length; round += 1) {
    await Promise.all(
      users.map((user, index) => {
        const runId = runs[index] ?? ids.runId(threadId);
        const data = { messageId, part: 0, kind: 'text', offset: round * 40, text: 'x'.repeat(40) } as const;
        const producer = { id: runId, attempt: 1, n: round };
        return log.append(user, [{ type: 'agent_delta', threadId, runId, data }], { producer });
      }),
    );
  }
}

/** It is all there. */
async function verify(log: FileEventLog, users: readonly UserId[], events: number): Promise<void> {
  const user = users[READ] ?? ids.userId();
  const { epoch, first, head } = await log.stream(user);
  expect([first, head]).toEqual([1, events / users.length]);
  const after = { epoch, seq: Math.max(0, head - 1_000) };
  const page = await log.read(user, { after, limitEvents: 1_024, limitBytes: 1_048_576 });
  expect(page).toMatchObject({ kind: 'page', head });
  expect(page.kind === 'page' ? page.events.length : 0).toBe(head - after.seq);
  const { records, indexBytes, damage, tornBytes } = log.stats();
  expect({ records, damage, tornBytes }).toEqual({ records: events, damage: [], tornBytes: 0 });
  expect(indexBytes).toBeLessThanOrEqual(MAX_INDEX_BYTES);
}

/** Of the heap, and what it holds outside, after garbage has been collected. */
function usedBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 4; round += 1) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
