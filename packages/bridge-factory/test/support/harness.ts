import type { EventLog } from '@runwire/event-log';
import { createMemoryEventLog } from '@runwire/event-log';
import type { UserId } from '@runwire/id-generation';
import { createIdGenerator } from '@runwire/id-generation';
import { createManualClock, createRecordingLogger } from '@runwire/kernel/testing';
import type { EventDraft, ResumeRequest } from '@runwire/protocol';
import { UserExecutionContext } from '@runwire/user-context';
import type { BridgeFactoryDeps, BridgeOptions, DeliveryCursor, EmitterOptions } from '../../src/index.js';
import { createWebSocketBridgeFactory } from '../../src/index.js';
import type { Sent } from './fake-connection.js';
import { FakeConnection } from './fake-connection.js';

/** What a test may put in place of the usual. */
export interface HarnessSetup {
  readonly options?: BridgeOptions;
  /** Wraps the memory log, to fail or to wait. */
  readonly log?: (log: EventLog) => EventLog;
  readonly deps?: Partial<BridgeFactoryDeps>;
}

/** A bridge over the memory log, with connections that a test moves and a clock that stands still. */
export function createHarness(setup: HarnessSetup = {}) {
  const clock = createManualClock();
  const logger = createRecordingLogger();
  const ids = createIdGenerator({ clock, random: () => 0.5 });
  const memory = createMemoryEventLog({ clock, ids, logger });
  const log = setup.log?.(memory) ?? memory;
  const open = new Map<UserId, FakeConnection[]>();
  const connections = {
    connectionsOf: (userId: UserId) => (open.get(userId) ?? []).filter((connection) => connection.isOpen),
  };
  const bridge = createWebSocketBridgeFactory(
    { log, connections, ids, clock, logger, ...setup.deps },
    setup.options,
  );
  const userId = ids.userId();

  const connect = (owner: UserId = userId, onSent?: (message: Sent) => void): FakeConnection => {
    const connection = new FakeConnection(ids.connectionId(), owner, onSent);
    open.set(owner, [...(open.get(owner) ?? []), connection]);
    return connection;
  };

  const context = (owner: UserId = userId): UserExecutionContext => {
    const threadId = ids.threadId();
    const requestId = ids.requestId();
    return UserExecutionContext.fromRequest({
      userId: owner,
      threadId,
      runId: ids.runId(threadId),
      requestId,
    });
  };

  return {
    clock,
    logger,
    ids,
    log: memory,
    bridge,
    userId,
    connect,
    /** Connects, attaches and lets everything settle. */
    attach: async (resume?: ResumeRequest, owner: UserId = userId) => {
      const connection = connect(owner);
      const cursor: DeliveryCursor = await bridge.attach(connection, resume);
      await clock.settle();
      return { connection, cursor };
    },
    context,
    emitter: (owner: UserId = userId, options?: EmitterOptions) =>
      bridge.createUserEmitter(context(owner), options),
    /** Appends `count` events that are never merged. */
    append: async (count: number, owner: UserId = userId, text = 'x'): Promise<void> => {
      const threadId = ids.threadId();
      for (let done = 0; done < count; done += 1) {
        const data = { messageId: ids.messageId(), role: 'user', parts: [{ type: 'text', text }] } as const;
        await log.append(owner, [{ type: 'message_added', threadId, data } satisfies EventDraft]);
      }
      await clock.settle();
    },
    epoch: async (owner: UserId = userId): Promise<string> => (await log.stream(owner)).epoch,
  };
}

/** Numbers from `first` to `last`. */
export function range(first: number, last: number): readonly number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}
