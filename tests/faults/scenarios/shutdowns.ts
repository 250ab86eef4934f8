// SIGTERM in the midst of answers.
import { createHarness, type Harness } from '../../harness/index.js';
import type { Row } from '../rows.js';
import { startTalkers } from '../talkers.js';

const USERS = 20;
/** Protocol §7a allows 30 s; the answers below need three. */
const PROMPT = 'count to 300 at 100 per second';
const MAX_GAP_MS = 1_000;

/**
 * The server is told to stop while 20 answers stream. What users see meanwhile has no gap above a second, each
 * run ends by itself or is ended, and everybody is back at the next server. Healed is counted from the exit.
 */
export async function stopsUnderLoad(row: Row, rounds: number): Promise<void> {
  const gaps: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await using harness = await createHarness({ network: {} });
    gaps.push(...(await stopOnce(row, harness)));
    row.audited(await harness.audit());
  }
  gaps.sort((a, b) => a - b);
  const p99Ms = gaps[Math.floor(gaps.length * 0.99)] ?? 0;
  row.note(`p99 of the gaps between two pieces of an answer ${Math.round(p99Ms)} ms`);
  if (p99Ms > MAX_GAP_MS) throw new Error(`p99 of the visible gaps is ${Math.round(p99Ms)} ms`);
}

/** One shutdown and the next start; settles to what passed between the pieces of the answers meanwhile. */
async function stopOnce(row: Row, harness: Harness): Promise<readonly number[]> {
  const talkers = await startTalkers(harness, USERS);
  const speaking = talkers.map(({ next }) => next(({ type }) => type === 'agent_delta'));
  const ends = talkers.map(({ talk }) => talk(PROMPT));
  await Promise.all(speaking);
  const watches = talkers.map(({ client }) => new GapWatch(client));
  harness.server.signal('SIGTERM');
  await Promise.all(ends);
  const gaps = watches.flatMap((watch) => watch.stop());
  const code = await harness.server.exited;
  if (code !== 0) throw new Error(`the server ended with ${code}`);
  const goneAtMs = performance.now();
  const back = talkers.map(({ next }) => next(({ type }) => type === 'agent_started'));
  await harness.restart();
  const answers = talkers.map(({ talk }) => talk('what is 1 + 1?'));
  await Promise.all(back);
  row.round(performance.now() - goneAtMs);
  await Promise.all(answers);
  return gaps;
}

/** The times between two events that a client is handed. */
class GapWatch {
  readonly #gaps: number[] = [];
  readonly #stop: () => void;
  #lastMs = performance.now();

  constructor(client: { onEvent(listener: () => void): () => void }) {
    this.#stop = client.onEvent(() => {
      const nowMs = performance.now();
      this.#gaps.push(nowMs - this.#lastMs);
      this.#lastMs = nowMs;
    });
  }

  stop(): readonly number[] {
    this.#stop();
    return this.#gaps;
  }
}
