import type { UserId } from '@runwire/id-generation';
import type { Cursor } from '@runwire/protocol';
import type { Tab } from './page/tab.js';
import type { World } from './world.js';

/** Ends whatever is wrong: from here on everything must come right by itself. */
export function heal(world: World): void {
  world.note('fate', () => 'everything is well again');
  world.cluster.disarm();
  world.disk.fault = { kind: 'none' };
  world.database.isFailing = false;
  world.tokens.fault = 'none';
  for (const { device } of world.tabs) device.conditions.bytesPerSecond = Number.POSITIVE_INFINITY;
  world.network.heal();
  world.requests.heal();
  for (const tab of world.tabs) {
    tab.open();
    if (!tab.isOnline) tab.signal('online');
  }
}

/** The user opened more tabs than there may be connections. */
const DISPLACED = 4409;

/** What a user does about a page that has stopped: presses its button, or loads it again. */
export function attend(world: World): void {
  for (const tab of world.tabs) {
    const state = tab.page?.client.state;
    if (state?.kind !== 'stopped' || (state.code === DISPLACED && !hasRoom(world, tab))) continue;
    world.note(tab.name, () => `the user acts: stopped with ${state.code}`);
    if (state.resumable) tab.page?.connect();
    else {
      tab.kill('goodbye');
      tab.open();
    }
  }
}

/** Whether one more of the user's tabs may be connected without displacing another. */
function hasRoom(world: World, { userId }: Tab): boolean {
  const others = world.tabs.filter(({ userId: other, page }) => {
    const kind = page?.client.state.kind;
    return other === userId && kind !== undefined && kind !== 'stopped';
  });
  return others.length < world.plan.world.limits.maxConnectionsPerUser;
}

/** What is still to come right; empty when nothing is. */
export async function unsettled(world: World): Promise<readonly string[]> {
  if (!world.cluster.isWhole) return ['a process is not up'];
  const missing: string[] = [];
  for (const userId of world.users.values()) missing.push(...(await unsettledRuns(world, userId)));
  if ((await world.database.stores.runs.pendingOutbox()).length > 0) missing.push('the outbox is not empty');
  if (world.deletions > 0) missing.push(`${world.deletions} threads are not deleted`);
  for (const { actor, bridge } of world.cluster.listening) {
    const { emitters } = bridge.stats();
    if (emitters > 0) missing.push(`${actor.name} has ${emitters} emitters`);
  }
  if (missing.length > 0) return missing;
  for (const tab of world.tabs) {
    const lack = lackOf(tab, await headOf(world, tab.userId));
    if (lack !== undefined) missing.push(`${tab.name} ${lack}`);
  }
  return missing;
}

async function unsettledRuns(world: World, userId: UserId): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const runId of world.database.runsOf(userId)) {
    const record = await world.database.stores.runs.findRun(userId, runId);
    if (record?.endedAtMs === undefined) missing.push(`${runId} is ${record?.status}`);
  }
  return missing;
}

async function headOf(world: World, userId: UserId): Promise<Cursor | undefined> {
  const stream = await world.cluster.listening[0]?.log.stream(userId);
  return (
    stream && {
      epoch: stream.epoch,
      seq: stream.head,
      ...(stream.headId === null ? {} : { id: stream.headId }),
    }
  );
}

function lackOf({ page }: Tab, head: Cursor | undefined): string | undefined {
  if (page === undefined || head === undefined) return 'is closed';
  const { state, cursor, pendingCommands } = page.client;
  // It stays away for the others' sake.
  if (state.kind === 'stopped' && state.code === DISPLACED) return undefined;
  if (state.kind !== 'live') return `is ${state.kind}`;
  // Another log may have come as far: the ids tell them apart.
  if (cursor?.epoch !== head.epoch || cursor.seq !== head.seq || cursor.id !== head.id)
    return `is at ${cursor?.seq}, the head is ${head.seq}`;
  if (pendingCommands.length > 0) return `waits for ${pendingCommands.length} answers`;
  if (!page.isWhole) return 'has no snapshot';
  if (!page.isRead) return 'has events unread';
  return undefined;
}
