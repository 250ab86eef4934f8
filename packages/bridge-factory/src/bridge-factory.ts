import type { Producer } from '@runwire/event-log';
import type { ConnectionId, UserId } from '@runwire/id-generation';
import type { EventDraft, ResumeRequest } from '@runwire/protocol';
import type { UserExecutionContext } from '@runwire/user-context';
import { AppendTurn } from './append-turn.js';
import type {
  BridgeFactoryDeps,
  BridgeStats,
  DeliveryConnection,
  DeliveryCursor,
  EmitterOptions,
  UserEmitter,
  WebSocketBridgeFactory,
} from './contract.js';
import type { CursorDeps } from './delivery-cursor.js';
import { ConnectionCursor } from './delivery-cursor.js';
import { BridgeError } from './errors.js';
import type { BridgeOptions, ResolvedBridgeOptions } from './options.js';
import { resolveOptions } from './options.js';
import { UserBudgets } from './user-budgets.js';
import { RunEmitter } from './user-emitter.js';
import { UserStream } from './user-stream.js';

const REQUIRED = ['log', 'connections', 'ids', 'clock', 'logger'] as const;

/**
 * Builds the bridge between runs and connections. A missing dependency is a compile error, and for callers
 * without types:
 *
 * @throws BridgeError `BRIDGE_MISSING_DEPENDENCY` naming it, `BRIDGE_INVALID_OPTION`
 */
export function createWebSocketBridgeFactory(
  deps: BridgeFactoryDeps,
  options?: BridgeOptions,
): WebSocketBridgeFactory {
  const given: Partial<BridgeFactoryDeps> | undefined | null = deps;
  for (const name of REQUIRED) {
    if (given?.[name] !== undefined && given[name] !== null) continue;
    const message = `createWebSocketBridgeFactory: the dependency "${name}" is missing.`;
    throw new BridgeError('BRIDGE_MISSING_DEPENDENCY', message, { details: { dependency: name } });
  }
  return new Bridge(deps, resolveOptions(options));
}

class Bridge implements WebSocketBridgeFactory {
  readonly #deps: BridgeFactoryDeps;
  readonly #options: ResolvedBridgeOptions;
  readonly #cursorDeps: CursorDeps;
  readonly #streams = new Map<UserId, UserStream>();
  /** By user, run and attempt. */
  readonly #emitters = new Map<string, RunEmitter>();
  readonly #budgets: UserBudgets;
  readonly #appends = new AppendTurn();
  readonly #counters = { eventsSent: 0, eventsAcked: 0, acksRejected: 0, resyncsRejected: 0 };
  #isClosed = false;

  constructor(deps: BridgeFactoryDeps, options: ResolvedBridgeOptions) {
    this.#deps = deps;
    this.#options = options;
    const { log, ids, clock, logger, observer } = deps;
    this.#budgets = new UserBudgets(clock, options.emit.maxLoggedBytesPerSecond);
    this.#cursorDeps = {
      log,
      ids,
      clock,
      logger,
      observer,
      options: options.delivery,
      counters: this.#counters,
      released: (cursor) => this.#released(cursor),
    };
  }

  createUserEmitter(context: UserExecutionContext, { attempt = 1 }: EmitterOptions = {}): UserEmitter {
    this.#refuseWhenClosed();
    const { userId, runId } = context;
    const key = `${userId} ${runId} ${attempt}`;
    if (this.#emitters.has(key)) {
      const message = `Attempt ${attempt} of run ${runId} has an emitter.`;
      throw new BridgeError('EMITTER_EXISTS', message, { details: { runId, attempt } });
    }
    const { log, clock, largeValues } = this.#deps;
    const { budget, release } = this.#budgets.lease(userId);
    const emitter = new RunEmitter(context, attempt, {
      log,
      clock,
      largeValues,
      budget,
      turn: this.#appends,
      options: this.#options.emit,
      released: () => {
        this.#emitters.delete(key);
        release();
      },
    });
    this.#emitters.set(key, emitter);
    return emitter;
  }

  async attach(connection: DeliveryConnection, resume: ResumeRequest | undefined): Promise<DeliveryCursor> {
    this.#refuseWhenClosed();
    const stream = this.#streams.get(connection.userId) ?? this.#openStream(connection.userId);
    if (stream.has(connection.id)) throw alreadyAttached(connection.id);
    const cursor = new ConnectionCursor(connection, this.#cursorDeps);
    stream.add(cursor);
    try {
      await cursor.open(resume);
    } catch (cause) {
      // The connection did not take a handler or a message: nothing of the cursor stays behind.
      cursor.close();
      throw cause;
    }
    return cursor;
  }

  async appendForUser(userId: UserId, drafts: readonly EventDraft[], producer: Producer): Promise<void> {
    this.#refuseWhenClosed();
    await this.#deps.log.append(userId, drafts, { producer });
  }

  stats(): BridgeStats {
    let cursors = 0;
    let cursorsBehind = 0;
    for (const stream of this.#streams.values()) {
      cursors += stream.cursors.length;
      cursorsBehind += stream.cursors.filter((cursor) => cursor.state === 'behind').length;
    }
    const subscriptions = this.#streams.size;
    return { cursors, cursorsBehind, subscriptions, emitters: this.#emitters.size, ...this.#counters };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const stream of this.#streams.values()) for (const cursor of stream.cursors) cursor.close();
    await Promise.all([...this.#emitters.values()].map((emitter) => emitter[Symbol.asyncDispose]()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #openStream(userId: UserId): UserStream {
    const { log, connections } = this.#deps;
    const { maxFrameBytes } = this.#options.delivery;
    const stream = new UserStream(userId, { log, connections, maxFrameBytes });
    this.#streams.set(userId, stream);
    return stream;
  }

  #released(cursor: ConnectionCursor): void {
    const { userId } = cursor.connection;
    const stream = this.#streams.get(userId);
    if (stream?.remove(cursor)) this.#streams.delete(userId);
  }

  #refuseWhenClosed(): void {
    if (this.#isClosed) throw new BridgeError('BRIDGE_CLOSED', 'The bridge factory is closed.');
  }
}

function alreadyAttached(connectionId: ConnectionId): BridgeError {
  const message = `Connection ${connectionId} has a cursor.`;
  return new BridgeError('BRIDGE_ALREADY_ATTACHED', message, { details: { connectionId } });
}
