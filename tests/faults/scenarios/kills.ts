// The server is killed with -9, started again on the same folder, and its clients come back by themselves.
import { type AuditReport, createHarness, type Harness, until } from '../../harness/index.js';
import { CRASH_POINTS } from '../crash-points.mjs';
import type { Row } from '../rows.js';
import { Conversation, healed, sometime, startTalker, startTalkers, type Talker } from '../talkers.js';
import { LONG_TOKENS } from './connections.js';

const USERS = 3;
/** Kills that one log and its users live through before everything is compared. */
const ROUNDS_A_LOG = 10;
/** So small that a few answers fill it. */
const SEGMENT_BYTES = 96 * 1_024;
const HIT_DEADLINE_MS = 20_000;
/** Kills are spread over this long, counted from when everybody is back. */
const WITHIN_MS = 1_000;

/** Kills at any moment. */
export async function killsAtRandomTimes(row: Row, rounds: number): Promise<void> {
  await inLanes(row, rounds, async (kills) => {
    await using life = await ServerLife.begin({ deletedShare: 0.1 });
    for (let kill = 0; kill < kills; kill += 1) {
      await sometime(WITHIN_MS);
      row.round(await life.heal(() => life.harness.restart()));
    }
    return await life.end(row);
  });
}

/** Kills at the named points, one after the other, each at a random passage. */
export async function killsAtPoints(row: Row, rounds: number, points = CRASH_POINTS): Promise<void> {
  let next = 0;
  const nextCrash = (): string => {
    const point = points[next % points.length] ?? '';
    next += 1;
    return `${point}:${passageOf(point)}`;
  };
  await inLanes(row, rounds, async (kills) => {
    await using life = await ServerLife.begin({ deletedShare: 0.5 });
    await life.startDoomed(nextCrash());
    for (let kill = 1; kill <= kills; kill += 1) {
      await life.untilDead();
      row.round(
        await life.heal(() => (kill < kills ? life.startDoomed(nextCrash()) : life.harness.restart(SAFE))),
      );
    }
    return await life.end(row);
  });
}

const SAFE = { faults: { maxSegmentBytes: SEGMENT_BYTES } };

/** How often a point is passed before the kill: soon enough to come at all, late enough to be anywhere. */
function passageOf(point: string): number {
  const [, most = 60] = PASSAGES.find(([kind]) => point.startsWith(kind)) ?? [];
  return 1 + Math.floor(Math.random() * most);
}

const PASSAGES: readonly (readonly [kind: string, most: number])[] = [
  ['sql-commit', 6],
  ['terminal', 5],
  ['erase', 2],
  ['segment-change', 4],
];

/** What a log has to be opened with in time, and over how many users. */
const MANY_EVENTS = 100_000;
const AUTHORS = 4;
const MAX_READY_MS = 3_000;

/** Kills a server whose log has 100,000 events: it is ready again within 3 s. */
export async function killsWithALongLog(row: Row, rounds: number): Promise<void> {
  await using harness = await createHarness({ network: {}, env: LONG_TOKENS, faults: {} });
  const talkers = await startTalkers(harness, AUTHORS, { start: 'live' });
  const steps = MANY_EVENTS / AUTHORS;
  await Promise.all(talkers.map(({ talk }) => talk(`think ${steps} times`, { agent: 'thinks' })));
  const conversation = new Conversation(talkers);
  for (let round = 0; round < rounds; round += 1) {
    await sometime(WITHIN_MS);
    row.round(await conversation.heal(() => harness.restart()));
    const { readyMs } = harness.server;
    row.most('ms to ready', readyMs);
    if (readyMs > MAX_READY_MS) throw new Error(`ready only after ${Math.round(readyMs)} ms`);
  }
  await conversation.over();
  row.audited(await harness.audit());
}

/** Shares rounds out to two lanes, in portions of one log each. */
async function inLanes(
  row: Row,
  rounds: number,
  portion: (rounds: number) => Promise<AuditReport>,
): Promise<void> {
  let left = rounds;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      const mine = Math.min(left, ROUNDS_A_LOG);
      left -= mine;
      row.audited(await portion(mine));
    }
  };
  await Promise.all([lane(), lane()]);
}

/** One log, the servers that come and go over it, and users who talk all the while, each with two tabs. */
class ServerLife implements AsyncDisposable {
  readonly harness: Harness;
  readonly #tabs: readonly Talker[];
  readonly #conversation: Conversation;
  #slowestReadyMs = 0;

  private constructor(harness: Harness, tabs: readonly Talker[], conversation: Conversation) {
    this.harness = harness;
    this.#tabs = tabs;
    this.#conversation = conversation;
  }

  static async begin(options: { readonly deletedShare: number }): Promise<ServerLife> {
    // Users are there before the first kill can come.
    const harness = await createHarness({ network: {}, env: LONG_TOKENS });
    const users = await startTalkers(harness, USERS);
    const tabs = await Promise.all(users.map(({ user }) => startTalker(harness, {}, user)));
    return new ServerLife(harness, [...users, ...tabs], new Conversation(users, options));
  }

  /** Starts the server with its end ahead, which may come while it repairs what the last one left. */
  async startDoomed(crash: string): Promise<void> {
    const faults = { ...SAFE.faults, crash };
    await this.harness.restart({ faults }).catch((error: unknown) => {
      if (this.harness.server.isRunning) throw error;
    });
  }

  /** Settles when the server has died by itself. */
  async untilDead(): Promise<void> {
    const alive = (): boolean => this.harness.server.isRunning;
    await until(HIT_DEADLINE_MS, 'the server to reach the point at which it dies', () => !alive());
  }

  /** How long it takes until every tab is live; undefined when the server died again before. */
  async heal(start: () => Promise<void>): Promise<number | undefined> {
    const healMs = await healed(this.#tabs, start, () => !this.harness.server.isRunning);
    this.#slowestReadyMs = Math.max(this.#slowestReadyMs, this.harness.server.readyMs);
    return healMs;
  }

  /** Lets the users finish, and compares everything. */
  async end(row: Row): Promise<AuditReport> {
    await this.#conversation.over();
    row.most('ms to ready', this.#slowestReadyMs);
    return await this.harness.audit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.harness[Symbol.asyncDispose]();
  }
}
