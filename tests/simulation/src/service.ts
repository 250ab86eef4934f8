import type { ThreadId, UserId } from '@runwire/id-generation';
import type { HttpAnswer, Post } from './page/page-fetch.js';
import type { Service } from './page/tab.js';
import type { Prng } from './prng.js';
import type { Cluster } from './server/cluster.js';
import type { Database } from './server/database.js';
import type { ServerNode } from './server/node.js';
import { readSnapshot, type Snapshot } from './server/snapshot.js';
import type { Tokens } from './server/tokens.js';

/** What the service is made of. */
export interface ServiceDeps {
  readonly cluster: Cluster;
  readonly database: Database;
  readonly tokens: Tokens;
  readonly prng: Prng;
}

/** What answers the HTTP requests of pages: whichever process listens. */
export function createService(deps: ServiceDeps): Service {
  const { cluster, database, tokens, prng } = deps;

  const serve = <T>(answer: (node: ServerNode) => Promise<T>) => {
    const { listening } = cluster;
    if (listening.length === 0) return undefined;
    const node = prng.pick(listening);
    return { node: node.actor, answer: () => answer(node) };
  };

  return {
    snapshot: (userId, threadId) => serve((node) => snapshotOf(deps, node, { userId, threadId })),
    threads: (userId) => serve(async () => database.threadsOf(userId)),
    probe: () => serve(async ({ sockets }) => sockets.probe()),
    post: (post) => serve((node) => takePost(deps, node, post)),
    issueToken: (userId) => tokens.issue(userId),
  };
}

async function snapshotOf(
  { database }: ServiceDeps,
  node: ServerNode,
  { userId, threadId }: { readonly userId: UserId; readonly threadId: ThreadId | undefined },
): Promise<Snapshot | undefined> {
  if (database.isDeleted(threadId)) return undefined;
  const way = database.open(node.actor, () => undefined);
  const runIds = () => database.runsOf(userId);
  const snapshot = await readSnapshot({ database: way, log: node.log, runIds }, userId);
  if (threadId === undefined) return snapshot;
  return { ...snapshot, runs: snapshot.runs.filter((run) => run.threadId === threadId) };
}

/** As the route of `apps/server` answers. */
async function takePost({ tokens }: ServiceDeps, node: ServerNode, post: Post): Promise<HttpAnswer> {
  const { authorization, connectionId, text } = post;
  let userId: UserId;
  try {
    ({ userId } = await tokens.verify(authorization.replace(/^Bearer /, ''), node));
  } catch {
    return { status: 401, headers: {}, body: '' };
  }
  const outcome = await node.sockets.receive({ userId, connectionId, text });
  const status = { answered: 200, taken: 204, streamed: 202, unknown: 404, closed: 503 }[outcome.kind];
  return { status, headers: {}, body: outcome.kind === 'answered' ? JSON.stringify(outcome.message) : '' };
}
