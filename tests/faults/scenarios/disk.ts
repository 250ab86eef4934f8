// The disk under the log is full for a while.
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHarness, pause, until } from '../../harness/index.js';
import type { Row } from '../rows.js';
import { Conversation, sometime, startTalkers } from '../talkers.js';

const USERS = 4;
const FULL_MS = 1_500;
const HEAL_MS = 20_000;

/** Appends fail: runs fail loudly, nothing is shown that is not stored, and all is well once there is space. */
export async function fullDisk(row: Row, rounds: number): Promise<void> {
  const flag = join(tmpdir(), `runwire-full-disk-${process.pid}-${Math.random().toString(36).slice(2)}`);
  try {
    await using harness = await createHarness({ network: {}, faults: { fullDiskFile: flag } });
    const talkers = await startTalkers(harness, USERS);
    const conversation = new Conversation(talkers);
    for (let round = 0; round < rounds; round += 1) {
      await sometime(700);
      await writeFile(flag, '');
      await pause(FULL_MS);
      const completed = conversation.ended.get('completed') ?? 0;
      const spaceAtMs = performance.now();
      await rm(flag);
      await until(HEAL_MS, 'runs to be completed again', () => {
        return (conversation.ended.get('completed') ?? 0) >= completed + USERS;
      });
      row.round(performance.now() - spaceAtMs);
    }
    await conversation.over();
    const failed = conversation.ended.get('failed') ?? 0;
    if (failed === 0) throw new Error('no run failed: the disk was never full');
    row.note(`${failed} runs ended failed, ${conversation.ended.get('completed')} completed`);
    row.audited(await harness.audit());
  } finally {
    await rm(flag, { force: true });
  }
}
