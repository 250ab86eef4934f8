import {
  type AgentDefinition,
  type AgentRuntimeOptions,
  type AgentTask,
  createAgentMessageHandler,
  createAgentRegistry,
  createRunSupervisor,
  defineAgent,
  type RunStore,
  type ThreadStore,
} from '@runwire/agent-handler';
import { createMemoryStores, type MemoryStores } from '@runwire/agent-handler/testing';
import { type BridgeFactoryDeps, createWebSocketBridgeFactory } from '@runwire/bridge-factory';
import { createMemoryEventLog, type EventLog } from '@runwire/event-log';
import {
  createIdGenerator,
  type IdGenerator,
  type RunId,
  type ThreadId,
  type UserId,
} from '@runwire/id-generation';
import {
  createManualClock,
  createRecordingLogger,
  type ManualClock,
  type RecordingLogger,
} from '@runwire/kernel/testing';
import type { ClientMessageOf, RunwireEvent, RunwireEventOf } from '@runwire/protocol';
import { createRequestContext } from '@runwire/user-context';

/** What a test may replace. */
export interface HarnessOptions {
  readonly agent?: AgentDefinition['run'];
  readonly define?: Partial<AgentDefinition>;
  readonly more?: readonly AgentDefinition[];
  readonly options?: AgentRuntimeOptions;
  readonly runs?: Partial<RunStore>;
  readonly threads?: Partial<ThreadStore>;
  readonly largeValues?: BridgeFactoryDeps['largeValues'] & object;
  readonly append?: (log: EventLog) => EventLog['append'];
  /** The process before, of which the stores and the log are left. */
  readonly before?: ProcessRemains;
}

/** What outlives a process, and the test's own clock, ids and logger. */
export interface ProcessRemains {
  readonly clock: ManualClock;
  readonly logger: RecordingLogger;
  readonly ids: IdGenerator;
  readonly log: EventLog;
  readonly stores: MemoryStores;
}

/** Parts of one process. */
export type Harness = ReturnType<typeof createHarness>;

/** Real parts around one agent `test`: log, bridge, supervisor, handler; stores in memory; time by hand. */
export function createHarness(setup: HarnessOptions = {}) {
  const clock = setup.before?.clock ?? createManualClock();
  const logger = setup.before?.logger ?? createRecordingLogger();
  const ids = setup.before?.ids ?? createIdGenerator({ clock });
  const log = setup.before?.log ?? createMemoryEventLog({ clock, ids, logger });
  const usedLog: EventLog = setup.append === undefined ? log : overlay(log, { append: setup.append(log) });
  const connections = { connectionsOf: () => [] };
  const bridge = createWebSocketBridgeFactory({
    log: usedLog,
    connections,
    ids,
    clock,
    logger,
    ...(setup.largeValues === undefined ? {} : { largeValues: setup.largeValues }),
  });
  const stores = setup.before?.stores ?? createMemoryStores({ clock });
  const runs = overlay(stores.runs, setup.runs ?? {});
  const threads = overlay(stores.threads, setup.threads ?? {});
  const run = setup.agent ?? sayDone;
  const agent = defineAgent({ name: 'test', description: 'A test.', run, ...setup.define });
  const agents = createAgentRegistry([agent, ...(setup.more ?? [])], { defaultAgent: agent.name });
  const deps = { clock, logger, ids, emitters: bridge, threads, runs, agents };
  const supervisor = createRunSupervisor(deps, setup.options);
  const handler = createAgentMessageHandler({ ...deps, supervisor }, setup.options);

  const request = (userId: UserId, signal = new AbortController().signal) => ({
    context: createRequestContext({ userId, requestId: ids.requestId() }),
    signal,
  });

  const say = async (userId: UserId, fields: Partial<ClientMessageOf<'user_message'>> = {}) => {
    const asked = handler.userMessage(
      { type: 'user_message', content: 'Hello.', ...fields },
      request(userId),
    );
    await clock.settle();
    return await asked;
  };

  return {
    clock,
    logger,
    ids,
    log,
    bridge,
    stores,
    runs,
    deps,
    supervisor,
    handler,
    request,
    say,
    /** Says something and returns the ids of the run it starts. */
    async start(userId: UserId, fields: Partial<ClientMessageOf<'user_message'>> = {}) {
      const reply = await say(userId, fields);
      if ('rejected' in reply) throw new Error(`rejected: ${reply.rejected.code}`);
      const { runId, threadId } = reply.accepted;
      return { runId: runId as RunId, threadId: threadId as ThreadId };
    },
    async events(userId: UserId): Promise<readonly RunwireEvent[]> {
      const { epoch } = await log.stream(userId);
      const request = { after: { epoch, seq: 0 }, limitEvents: 100_000, limitBytes: 100_000_000 };
      const page = await log.read(userId, request);
      if (page.kind === 'reset') throw new Error(page.reason);
      return page.events.map(({ json }) => JSON.parse(json) as RunwireEvent);
    },
    async terminals(userId: UserId): Promise<readonly RunwireEventOf<'agent_completed'>['data'][]> {
      const events = await this.events(userId);
      return events.filter((event) => event.type === 'agent_completed').map(({ data }) => data);
    },
    async types(userId: UserId): Promise<readonly string[]> {
      return (await this.events(userId)).map(({ type }) => type);
    },
    /** Counts of everything that a run holds; all zero when nothing runs. */
    counts() {
      const { active, reserved } = supervisor.stats();
      const { emitters } = bridge.stats();
      // The log has one timer of its own, for its retention, from its first event on.
      return { active, reserved, emitters, timers: clock.pendingTimers - 1 };
    },
  };
}

async function sayDone({ emit }: AgentTask): Promise<undefined> {
  await emit.text('done');
}

export const NOTHING = { active: 0, reserved: 0, emitters: 0, timers: 0 };

/** The event types that come before a run's. */
export const ANNOUNCED = ['thread_created', 'message_added'];
export const BEGUN = [...ANNOUNCED, 'agent_started', 'agent_thinking'];

/** `base`, with some of its methods replaced. */
export function overlay<T extends object>(base: T, changes: Partial<T>): T {
  return new Proxy(base, {
    get(target, name) {
      const changed: unknown = Reflect.get(changes, name);
      if (changed !== undefined) return changed;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Never settles, whatever happens. */
export function forever(): Promise<never> {
  return new Promise(() => undefined);
}
