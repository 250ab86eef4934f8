import {
  type AgentMessageHandler,
  type AgentRuntimeDeps,
  createAgentMessageHandler,
  createAgentRegistry,
  createRecovery,
  createRunSupervisor,
  type RecoveryReport,
  type RunSupervisor,
} from '@runwire/agent-handler';
import {
  type BridgeStats,
  createWebSocketBridgeFactory,
  type WebSocketBridgeFactory,
} from '@runwire/bridge-factory';
import { type ConnectionPool, createConnectionPool, type PoolStats } from '@runwire/connection-pool';
import { createIdGenerator, type IdGenerator } from '@runwire/id-generation';
import type { Logger } from '@runwire/kernel';
import type { ClientConnection, Handshake, Principal, SocketServerStats } from '@runwire/websocket-core';
import { createMemorySocketServer, type MemorySocketServer } from '@runwire/websocket-core/testing';
import type { ActorClock } from '../actor-clock.js';
import type { ObservedLog } from '../audit/observed-log.js';
import type { Prng } from '../prng.js';
import type { Actor } from '../scheduler.js';
import type { Tally } from '../tally.js';
import { AGENT_NAME, createSimulatedAgent, type Productions } from './agent.js';
import type { DatabaseSession } from './database.js';
import type { NodeLimits } from './limits.js';
import { observeConnection } from './observed-connection.js';

/** What a server process is made of. */
export interface NodeDeps {
  readonly actor: Actor;
  readonly clock: ActorClock;
  readonly prng: Prng;
  readonly logger: Logger;
  readonly database: DatabaseSession;
  readonly productions: Productions;
  readonly limits: NodeLimits;
  readonly retryOnCrash: boolean;
  /** Whether no other process has the log and the database: then every open run is a dead one. */
  readonly isAlone: boolean;
  /** Opens the log; rejects when the storage does not let it. */
  readonly openLog: (ids: IdGenerator) => Promise<ObservedLog>;
  /** Verifies a token. */
  readonly authenticate: (token: string) => Promise<Principal>;
  /** Looks at what is in flight to a connection. */
  readonly inFlight: (unackedBytes: number, largestFrameBytes: number) => void;
  readonly tally: Tally;
}

/** Everything that a process counts. */
export interface NodeStats {
  readonly bridge: BridgeStats;
  readonly pool: PoolStats;
  readonly sockets: SocketServerStats;
  readonly activeRuns: number;
  /** Of the log, counted from outside. */
  readonly subscriptions: number;
}

/** Share of the shutdown time in which runs may end by themselves. */
const RUNS_SHARE = 0.8;
const NOT_READY_RETRY_MS = 1_000;

/**
 * One server process: the real pool, bridge, socket server and supervisor, composed and taken down in the order of
 * `apps/server`, over a simulated network, disk and database.
 */
export class ServerNode {
  readonly actor: Actor;
  readonly clock: ActorClock;
  readonly log: ObservedLog;
  readonly pool: ConnectionPool;
  readonly bridge: WebSocketBridgeFactory;
  readonly supervisor: RunSupervisor;
  readonly sockets: MemorySocketServer;
  readonly #deps: NodeDeps;
  readonly #handler: AgentMessageHandler;
  #isReady = false;
  #stopping: Promise<void> | undefined;

  /** Starts a process: settles when it takes connections, rejects when it cannot start. */
  static async start(deps: NodeDeps): Promise<ServerNode> {
    const { clock, prng } = deps;
    const ids = createIdGenerator({ clock, random: () => prng.next() });
    const log = await deps.openLog(ids);
    const node = new ServerNode(deps, ids, log);
    const recovered = deps.isAlone ? await node.#recover(ids) : undefined;
    node.#becomeReady(recovered);
    return node;
  }

  private constructor(deps: NodeDeps, ids: IdGenerator, log: ObservedLog) {
    const { clock, logger, limits, tally } = deps;
    this.#deps = deps;
    this.actor = deps.actor;
    this.clock = clock;
    this.log = log;
    this.pool = createConnectionPool({ clock, logger }, limits);
    this.bridge = createWebSocketBridgeFactory(
      {
        log,
        connections: this.pool,
        ids,
        clock,
        logger,
        observer: {
          resumed: ({ mode, reason }) =>
            tally.count(`server ${mode}${reason === undefined ? '' : ` ${reason}`}`),
        },
      },
      { delivery: limits, emit: limits },
    );
    const runtime = this.#runtime(ids);
    this.supervisor = createRunSupervisor(runtime, agentOptions(limits));
    this.#handler = createAgentMessageHandler(
      { ...runtime, supervisor: this.supervisor },
      agentOptions(limits),
    );
    this.sockets = this.#createSockets(ids);
  }

  /** Whether it takes connections. */
  get isListening(): boolean {
    return this.#isReady;
  }

  /** Whether it goes on: ready, and not told to stop. */
  get isServing(): boolean {
    return this.#isReady && this.#stopping === undefined;
  }

  stats(): NodeStats {
    return {
      bridge: this.bridge.stats(),
      pool: this.pool.stats(),
      sockets: this.sockets.stats(),
      activeRuns: this.supervisor.stats().active,
      subscriptions: this.log.subscriptions,
    };
  }

  /** Adds what it has counted in its life. */
  countInto(tally: Tally): void {
    const { bridge, sockets } = this.stats();
    for (const [code, times] of Object.entries(sockets.closed)) tally.count(`server close ${code}`, times);
    for (const [reason, times] of Object.entries(sockets.refused))
      tally.count(`server refused ${reason}`, times);
    for (const [reason, times] of Object.entries(sockets.rejected))
      tally.count(`server rejected ${reason}`, times);
    tally.count('server events sent', bridge.eventsSent);
    tally.count('server acks rejected', bridge.acksRejected);
    tally.count('server resyncs rejected', bridge.resyncsRejected);
  }

  /** Stops in order, as at SIGTERM. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  #runtime(ids: IdGenerator): AgentRuntimeDeps {
    const { clock, logger, database, productions, retryOnCrash } = this.#deps;
    const agent = createSimulatedAgent({ clock, productions, retryOnCrash });
    const agents = createAgentRegistry([agent], { defaultAgent: AGENT_NAME });
    return { clock, logger, ids, emitters: this.bridge, ...database, agents };
  }

  async #recover(ids: IdGenerator): Promise<RecoveryReport> {
    const { limits } = this.#deps;
    const recovery = createRecovery(this.#runtime(ids), agentOptions(limits));
    return await recovery.recover({ log: this.log });
  }

  #becomeReady(recovered: RecoveryReport | undefined): void {
    this.pool.start();
    this.#isReady = true;
    if (recovered !== undefined) this.supervisor.resume(recovered);
  }

  #createSockets(ids: IdGenerator): MemorySocketServer {
    const { clock, prng, logger, limits, authenticate } = this.#deps;
    return createMemorySocketServer(
      {
        clock,
        logger,
        ids,
        readiness: () =>
          this.isServing
            ? { ready: true }
            : { ready: false, message: 'The server is not ready.', retryAfterMs: NOT_READY_RETRY_MS },
        authenticate,
        admission: this.pool,
        open: (connection, handshake) => this.#open(connection, handshake),
        remoteAddressOf: (request) => request.socket.remoteAddress ?? '',
      },
      { limits, random: () => prng.next() },
    );
  }

  async #open(connection: ClientConnection, handshake: Handshake): Promise<void> {
    const handler = this.#handler;
    connection.handleCommand('user_message', (message, request) => handler.userMessage(message, request));
    connection.handleCommand('stop_agent', (message, request) => handler.stopAgent(message, request));
    const observed = observeConnection(connection, this.#deps.inFlight);
    const cursor = await this.bridge.attach(observed, handshake.resume);
    void cursor.caughtUp.then(() => this.pool.completeReplacement(connection));
  }

  async #stop(): Promise<void> {
    const { limits } = this.#deps;
    const { shutdownTimeoutMs } = limits;
    const drained = this.pool.drain({ timeoutMs: shutdownTimeoutMs });
    await this.supervisor.drain({ timeoutMs: shutdownTimeoutMs * RUNS_SHARE });
    await this.pool.close();
    await drained;
    await this.sockets.close();
    await this.bridge.close();
    await this.log.close();
    this.#isReady = false;
  }
}

function agentOptions(limits: NodeLimits) {
  const { runTimeoutMs, idleTimeoutMs, stopTimeoutMs, toolTimeoutMs } = limits;
  return { toolTimeoutMs, limits: { runTimeoutMs, idleTimeoutMs, stopTimeoutMs } };
}
