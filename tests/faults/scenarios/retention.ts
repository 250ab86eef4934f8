// Events go past their retention while a slow reader is on its way to them.
import { endedRun, startRun } from '../../harness/http-run.js';
import { createHarness, until } from '../../harness/index.js';
import type { Row } from '../rows.js';

const ENV = { RUNWIRE_RETENTION_EVENTS: '60' };
/** Slow enough to be overtaken, fast enough to get on. */
const BYTES_PER_SECOND = 60_000;

/** The reader is told to start over (`trimmed`), loads what there is, and goes on from there by itself. */
export async function overtaken(row: Row, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await using harness = await createHarness({ network: {}, env: ENV });
    const user = await harness.register();
    await endedRun(user, await startRun(user, 'write 300 KB'));
    harness.proxy.shape({ bytesPerSecond: BYTES_PER_SECOND });
    const reasons: string[] = [];
    let loads = 0;
    const reader = harness.client(user, {
      start: 'beginning',
      loadSnapshot: async () => {
        loads += 1;
      },
    });
    reader.onReset((reason) => void reasons.push(reason));
    void reader.connect();
    await until(10_000, 'the reader to have begun', () => reader.stats.applied > 0);
    // Each writes more events than are kept.
    for (let run = 0; reasons.length === 0 && run < 20; run += 1) {
      await endedRun(user, await startRun(user, 'write 1 MB'));
    }
    await until(60_000, 'the reader to be told', () => reasons.length > 0);
    const toldAtMs = performance.now();
    harness.proxy.restore();
    await until(60_000, 'the reader to be live', () => reader.state.kind === 'live');
    row.round(performance.now() - toldAtMs);
    if (reasons.some((reason) => reason !== 'trimmed')) throw new Error(`reset: ${reasons.join(', ')}`);
    if (loads !== reasons.length) throw new Error(`${loads} snapshots for ${reasons.length} resets`);
    row.audited(await harness.audit(), reasons.length);
  }
}
