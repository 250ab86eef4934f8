import { endedRun, startRun } from '../harness/http-run.js';
import {
  type AuditReport,
  type BareConnection,
  createHarness,
  type Harness,
  type HttpUser,
  textOf,
} from '../harness/index.js';
import { PROBED, probeMemory } from '../harness/memory-probe.js';

/** What a reader of a long emission cost its server, and whether it got everything. */
export interface Measured {
  /** Of the server, behind the emission, after a garbage collection. */
  readonly usedBytes: number;
  /** Bytes that the reader was sent and compared with what the runs produced. */
  readonly readBytes: number;
  readonly report: AuditReport;
}

const RUN_BYTES = 10_000_000;
const READING_DEADLINE_MS = 120_000;

const ENV = {
  // The emission is not what is tested: as fast as it goes.
  RUNWIRE_MAX_LOGGED_BYTES_PER_SECOND: '1000000000',
  // A connection of its own acks each frame, as the protocol has it, and this line is faster than any.
  // The reader that has stopped is still there when its cost is measured.
  RUNWIRE_SILENCE_TIMEOUT_MS: '600000',
};

/**
 * Runs emit 10 MB each to a user with one connection, which reads them, or has stopped reading before and goes
 * on once the server's memory is measured.
 */
export async function emitTo(
  reader: 'reading' | 'stopped',
  runs: number,
  connect: (harness: Harness, user: HttpUser) => BareConnection = (harness, user) => harness.bare(user),
): Promise<Measured> {
  await using harness = await createHarness({ env: ENV, nodeFlags: PROBED });
  using probe = await probeMemory(harness.server);
  const user = await harness.register();
  const tab = connect(harness, user);
  await tab.untilControl('caught_up');
  if (reader === 'stopped') tab.pauseReading();
  const runIds: string[] = [];
  for (let run = 0; run < runs; run += 1) {
    const runId = await startRun(user, `write ${RUN_BYTES} bytes`);
    await endedRun(user, runId);
    runIds.push(runId);
  }
  const isEnd = (runId: string | undefined) => (event: { type: string; runId?: string }) =>
    event.type === 'agent_completed' && event.runId === runId;
  const last = isEnd(runIds.at(-1));
  if (reader === 'reading') await tab.until('the last end', last, READING_DEADLINE_MS);
  const usedBytes = await probe.usedBytes();
  if (reader === 'stopped') {
    if (tab.events.some(isEnd(runIds[0]))) throw new Error('The reader has read what it was not to.');
    tab.resumeReading();
    await tab.until('the last end', last, READING_DEADLINE_MS);
  }
  let readBytes = 0;
  for (const runId of runIds) readBytes += await compare(user, runId, textOf(tab.events, runId));
  return { usedBytes, readBytes, report: await harness.audit() };
}

/** What was read of a run is what it produced, byte by byte; its size. */
async function compare(user: HttpUser, runId: string, text: string): Promise<number> {
  const { body: result } = await user.call('GET', `/api/runs/${runId}/result`);
  if (result !== text) throw new Error(`What was read of ${runId} is not what it produced.`);
  if (text.length !== RUN_BYTES) throw new Error(`${runId} produced ${text.length} bytes.`);
  return text.length;
}
