import type { RunRecord } from '@runwire/agent-handler';
import type { EventLog } from '@runwire/event-log';
import type { ThreadId, UserId } from '@runwire/id-generation';
import { answerText, applyRunEvent, type Cursor, type RunView, TERMINAL_EVENT_TYPE } from '@runwire/protocol';
import type { Tab } from '../page/tab.js';
import type { World } from '../world.js';
import { eventsFrom } from './ledger.js';

/** What the log has of one user, in the end. */
interface FinalStream {
  readonly views: ReadonlyMap<string, RunView>;
  readonly terminals: ReadonlyMap<string, number>;
  readonly startSeqs: ReadonlyMap<string, number>;
}

/** When everything is quiet: whether everybody has everything, and the same. */
export async function auditEnd(world: World): Promise<void> {
  const log = world.cluster.listening[0]?.log;
  if (log === undefined) return;
  for (const userId of world.users.values()) {
    const stream = await readStream(log, userId);
    for (const runId of world.database.runsOf(userId)) {
      const record = await world.database.stores.runs.findRun(userId, runId);
      if (record === undefined) continue;
      const history = await world.database.stores.threads.history(userId, record.threadId, { limit: 1_000 });
      const stored = history.find(({ messageId }) => messageId === record.answerId)?.text ?? '';
      new RunAudit(world, record, { stream, stored }).check();
    }
  }
  for (const tab of world.tabs) {
    auditCounts(world, tab);
    auditDeletions(world, tab);
  }
  world.commands.check((script, name) => {
    const tab = world.tabs.find((one) => one.name === name);
    return world.database.runsFor(script).length > 0 || tab?.keeps(script) === true;
  });
}

/** What was deleted is shown by nobody, unless a power loss has taken the deletion. */
function auditDeletions(world: World, { name, page }: Tab): void {
  if (page?.client.state.kind !== 'live' || world.ledger.hasLost) return;
  for (const { runId, threadId } of page.state.values()) {
    if (!world.database.isDeleted(threadId as ThreadId)) continue;
    world.verdicts.violated('deletion', `${name} shows ${runId} of a deleted thread`);
  }
}

/** On a network that keeps its order, a server that sends everything once leaves nothing to be asked for again. */
function auditCounts(world: World, { name, page }: Tab): void {
  const stats = page?.client.stats;
  if (stats === undefined) return;
  world.tally.count('client duplicates', stats.duplicates);
  // Who moves from one process to another hears both for a while.
  const mayOverlap = world.plan.world.nodes > 1 && world.plan.actions.some(({ kind }) => kind === 'restart');
  if (stats.duplicates > 0 && !mayOverlap) {
    world.verdicts.violated('duplicates', `${name} received ${stats.duplicates} again`);
  }
  if (stats.gaps > 0) world.verdicts.violated('gaps', `${name} saw ${stats.gaps} gaps`);
}

/** One run, as SQL, the log, the agent and every page have it. */
class RunAudit {
  readonly #world: World;
  readonly #record: RunRecord;
  readonly #stream: FinalStream;
  readonly #stored: string;

  constructor(
    world: World,
    record: RunRecord,
    found: { readonly stream: FinalStream; readonly stored: string },
  ) {
    this.#world = world;
    this.#record = record;
    this.#stream = found.stream;
    this.#stored = found.stored;
  }

  check(): void {
    const { runId, status } = this.#record;
    const { said, plan, tally } = this.#world;
    tally.count(`run ${status}${this.#record.attempt > 1 ? ' after another attempt' : ''}`);
    const terminals = this.#stream.terminals.get(runId) ?? 0;
    if (terminals > 1) this.#violated('terminal', `has ${terminals} terminal events in the log`);
    if (this.#stream.startSeqs.has(runId) && terminals === 0)
      this.#violated('terminal', 'has none in the log');
    if (plan.world.log.kind !== 'memory' && this.#world.ledger.terminalsOf(runId) > 1) {
      this.#violated('terminal', 'was acknowledged two ends');
    }
    if (status === 'completed' && !said.isText(runId, this.#stored)) {
      this.#violated('stored text', `stored ${this.#stored.length} units that nobody has said`);
    }
    for (const tab of this.#world.tabs) if (tab.userId === this.#record.userId) this.#checkTab(tab);
  }

  #checkTab({ name, page }: Tab): void {
    if (page?.client.state.kind !== 'live') return;
    const { runId, status } = this.#record;
    const view = page.state.get(runId);
    const { since } = page;
    if (view === undefined) {
      const start = this.#stream.startSeqs.get(runId);
      const isExpected = since === undefined ? false : start !== undefined && start > since.seq;
      if (isExpected) this.#violated('missing', `is not shown by ${name}`);
      return;
    }
    const logged = this.#stream.views.get(runId);
    // What began before the page did is shown in part.
    if (logged === undefined || (since !== undefined && !this.#isAfter(since))) return;
    if (view.status !== status) this.#violated('status', `is ${status}, and ${view.status} for ${name}`);
    const shown = answerText(view.parts);
    if (shown !== answerText(logged.parts) && shown !== this.#stored) {
      this.#violated('text', `has ${answerText(logged.parts).length} units, and ${shown.length} for ${name}`);
    }
  }

  #isAfter(since: Cursor): boolean {
    const start = this.#stream.startSeqs.get(this.#record.runId);
    return start !== undefined && start > since.seq;
  }

  #violated(invariant: string, message: string): void {
    this.#world.verdicts.violated(invariant, `${this.#record.runId} ${message}`);
  }
}

async function readStream(log: EventLog, userId: UserId): Promise<FinalStream> {
  const views = new Map<string, RunView>();
  const terminals = new Map<string, number>();
  const startSeqs = new Map<string, number>();
  const { epoch, first, head } = await log.stream(userId);
  for await (const event of eventsFrom(log, userId, { epoch, from: first, until: head })) {
    const { runId, seq, type } = event;
    if (runId === undefined) continue;
    const view = applyRunEvent(views.get(runId), event);
    if (view !== undefined) views.set(runId, view);
    if (type === 'agent_started' && !startSeqs.has(runId)) startSeqs.set(runId, seq);
    if (type === TERMINAL_EVENT_TYPE) terminals.set(runId, (terminals.get(runId) ?? 0) + 1);
  }
  return { views, terminals, startSeqs };
}
