import type { ThreadId, UserId } from '@runwire/id-generation';
import type { ServerNode } from './server/node.js';
import type { World } from './world.js';

/** What a step is tried again after: a process that died, a log that does not take it. */
const RETRY_MS = 400;
const POLL_MS = 10;
/** A process that has not done its part by then is dead, or will not. */
const STEP_MS = 15_000;

/** The thread that is deleted. */
interface Deletion {
  readonly userId: UserId;
  readonly threadId: ThreadId;
}

/**
 * Deletes a thread as `apps/server` does, by whatever process is there, until it is done: SQL first, then the runs end,
 * then the user's pages are told, then the log is emptied of it. Each step may be done again.
 */
export async function deleteThread(world: World, deletion: Deletion): Promise<void> {
  const { database, scheduler, fate, tally } = world;
  database.beginDeletion(deletion.threadId);
  world.deletions += 1;
  for (let isDone = false; !isDone; ) {
    isDone = await attempt(world, deletion);
    if (!isDone) await scheduler.delay(fate, RETRY_MS, 'deletion');
  }
  world.deletions -= 1;
  tally.count('thread deleted');
}

async function attempt(world: World, deletion: Deletion): Promise<boolean> {
  const node = world.cluster.listening.find(({ isServing }) => isServing);
  if (node === undefined) return false;
  try {
    return await settledInTime(world, finish(world, node, deletion));
  } catch (cause) {
    world.note('fate', () => `${deletion.threadId} is not deleted yet: ${String(cause)}`);
    return false;
  }
}

/** What a dead process was asked is never answered. */
async function settledInTime({ scheduler, fate }: World, work: Promise<void>): Promise<boolean> {
  return await new Promise<boolean>((resolve, reject) => {
    const ticket = scheduler.schedule(fate, STEP_MS, 'deletion timeout', () => resolve(false));
    work.then(
      () => {
        ticket.cancel();
        resolve(true);
      },
      (cause: unknown) => {
        ticket.cancel();
        reject(cause);
      },
    );
  });
}

async function finish(world: World, node: ServerNode, { userId, threadId }: Deletion): Promise<void> {
  const { database, scheduler } = world;
  await node.supervisor.stopThread(userId, threadId);
  while ((await database.openRunsOf(threadId)).length > 0) {
    await scheduler.delay(node.actor, POLL_MS, 'deletion');
    await node.supervisor.stopThread(userId, threadId);
  }
  const producer = { id: `cmd:${threadId}`, attempt: 1, n: 1 };
  await node.bridge.appendForUser(userId, [{ type: 'thread_deleted', threadId, data: {} }], producer);
  await node.log.erase(userId, { threadId });
}
