import { auditEnd } from './audit/final-audit.js';
import type { Violation } from './audit/verdicts.js';
import { perform } from './deeds.js';
import { attend, heal, unsettled } from './healing.js';
import { HostGuard } from './host-guard.js';
import type { Plan } from './plan.js';
import type { Tally } from './tally.js';
import { Trace } from './trace.js';
import { World } from './world.js';

/** What came of a plan. */
export interface Outcome {
  readonly violation: Violation | undefined;
  /** Equal for equal runs. */
  readonly hash: number;
  readonly steps: number;
  readonly virtualMs: number;
  /** Empty unless it was to be kept. */
  readonly trace: Trace;
  readonly tally: Tally;
}

/** After the last action something may still happen by itself. */
const AFTERMATH_MS = 500;
/** A healed world comes right within this. */
const HEALING_MS = 200_000;
const LOOK_MS = 300;
/** A closed world is quiet within this. */
const CLOSING_MS = 60_000;

/** Carries a plan out, and says which promise was broken, if any. */
export async function runPlan(plan: Plan, options: { readonly keepTrace?: boolean } = {}): Promise<Outcome> {
  const trace = new Trace({ keepLines: options.keepTrace === true });
  const world = new World(plan, trace);
  const guard = new HostGuard((what) => world.verdicts.violated('host', what));
  world.scheduler.afterStep = () => guard.check();
  try {
    await carryOut(world);
  } finally {
    guard.release();
  }
  const { verdicts, scheduler, tally } = world;
  for (const node of world.cluster.listening) node.countInto(tally);
  return {
    violation: verdicts.first,
    hash: trace.hash,
    steps: scheduler.steps,
    virtualMs: scheduler.nowMs,
    trace,
    tally,
  };
}

async function carryOut(world: World): Promise<void> {
  const { plan, scheduler, verdicts, cluster, tabs, fate } = world;
  const isBroken = (): boolean => verdicts.first !== undefined;
  cluster.start();
  for (const [index, tab] of tabs.entries()) {
    scheduler.schedule(fate, plan.world.tabs[index]?.opensAtMs ?? 0, 'open', () => tab.open());
  }
  for (const action of plan.actions) {
    scheduler.schedule(fate, action.atMs, action.kind, () => perform(world, action));
  }
  await scheduler.run(isBroken, (plan.actions.at(-1)?.atMs ?? 0) + AFTERMATH_MS);
  if (isBroken()) return;
  await untilSettled(world);
  if (isBroken()) return;
  await whileItHappens(world, auditEnd(world));
  if (isBroken()) return;
  await closeDown(world);
}

async function untilSettled(world: World): Promise<void> {
  const { scheduler, verdicts, fate } = world;
  let missing: readonly string[] = ['nothing was looked at'];
  // A look takes a while, in which something may begin: it takes two of them with nothing in between.
  let quietLooks = 0;
  const look = async (): Promise<void> => {
    attend(world);
    missing = await unsettled(world).catch((cause: unknown) => [String(cause)]);
    quietLooks = missing.length === 0 ? quietLooks + 1 : 0;
    if (quietLooks < 2) scheduler.schedule(fate, LOOK_MS, 'look', () => void look());
  };
  scheduler.schedule(fate, 0, 'heal', () => {
    heal(world);
    void look();
  });
  await scheduler.run(() => quietLooks > 1 || verdicts.first !== undefined, scheduler.nowMs + HEALING_MS);
  if (quietLooks > 1) return;
  verdicts.violated('liveness', `after ${HEALING_MS / 1_000} s: ${missing.join('; ')}`);
}

/** Everybody goes, and nothing of them may be left. */
async function closeDown(world: World): Promise<void> {
  const { scheduler, tabs, verdicts, cluster } = world;
  for (const { page } of tabs) void page?.client.close();
  const nodes = cluster.listening;
  await scheduler.run(() => false, scheduler.nowMs + CLOSING_MS);
  for (const { name, clock } of tabs) {
    if (clock !== undefined && clock.pendingTimers.length > 0) {
      verdicts.violated(
        'leak',
        `${name} has timers after its client was closed: ${clock.pendingTimers.join('; ')}`,
      );
    }
  }
  for (const node of nodes) {
    const left = leftovers(node.stats());
    if (left.length > 0) verdicts.violated('leak', `${node.actor.name} has ${left.join(', ')}`);
  }
  for (const node of nodes) {
    await whileItHappens(world, node.stop());
    if (node.clock.pendingTimers.length > 0) {
      verdicts.violated(
        'leak',
        `${node.actor.name} has timers after it has stopped: ${node.clock.pendingTimers.join('; ')}`,
      );
    }
  }
}

/** Names what counts more than nothing though nobody is there. */
function leftovers(stats: ReturnType<World['cluster']['listening'][number]['stats']>): readonly string[] {
  const { bridge, pool, sockets, activeRuns, subscriptions } = stats;
  const counts = {
    cursors: bridge.cursors,
    subscriptions: bridge.subscriptions,
    emitters: bridge.emitters,
    connections: pool.connections,
    users: pool.users,
    addresses: pool.addresses,
    reservations: pool.reservations,
    managers: pool.managers,
    handlers: sockets.handlers,
    sockets: Object.values(sockets.connections).reduce((sum, count) => sum + count, 0),
    activeRuns,
    logSubscriptions: subscriptions,
  };
  return Object.entries(counts).flatMap(([name, count]) => (count === 0 ? [] : [`${count} ${name}`]));
}

/** Lets things happen until `work` is done. */
async function whileItHappens(world: World, work: Promise<unknown>): Promise<void> {
  const { scheduler, verdicts } = world;
  let isOver = false;
  work.then(
    () => {
      isOver = true;
    },
    (cause: unknown) => {
      isOver = true;
      verdicts.violated('audit', `could not be finished: ${String(cause)}`);
    },
  );
  // Its first part may need nothing to happen.
  scheduler.schedule(world.fate, 0, 'begin', () => undefined);
  await scheduler.run(() => isOver || verdicts.first !== undefined, scheduler.nowMs + CLOSING_MS);
  if (!isOver && verdicts.first === undefined) verdicts.violated('liveness', 'the end does not come');
}
