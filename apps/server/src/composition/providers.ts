import {
  type AgentDefinition,
  type AgentRuntimeOptions,
  createAgentMessageHandler,
  createAgentRegistry,
  createRunSupervisor,
} from '@runwire/agent-handler';
import { createWebSocketBridgeFactory } from '@runwire/bridge-factory';
import { createConnectionPool } from '@runwire/connection-pool';
import { createDemoAgent } from '../agents/demo-agent.js';
import { createAccessTokens } from '../auth/access-tokens.js';
import { createAuthService } from '../auth/auth-service.js';
import type { Passwords } from '../auth/passwords.js';
import { createThrottle } from '../auth/throttle.js';
import type { ServerConfig } from '../config/environment.js';
import type { DeliveryMeter } from '../delivery/delivery-meter.js';
import { observeRuns } from '../delivery/observed-log.js';
import { createLargeValues } from '../persistence/large-values.js';
import { createRunPositions } from '../persistence/run-positions.js';
import { createSqlRunStore } from '../persistence/run-store.js';
import { createSqlThreadStore } from '../persistence/thread-store.js';
import type { OpenedEventLog } from '../startup/event-log.js';
import { createOutboxSender } from '../threads/outbox-sender.js';
import { createThreadService } from '../threads/thread-service.js';
import { type Decorate, decorateConnections } from './decorate.js';
import type { Scope } from './scope.js';
import { TOKENS } from './tokens.js';

/** Attempts to sign in are counted over this long. */
const THROTTLE_WINDOW_MS = 15 * 60_000;

/** The name of the agent that answers when a message names none. */
const DEFAULT_AGENT = 'demo';

/** The log as everybody uses it: what it takes is measured, and where runs are in it is recorded. */
export function provideLog(scope: Scope, opened: OpenedEventLog, meter: DeliveryMeter): Scope {
  return scope
    .provide(TOKENS.logStats, () => opened.stats)
    .provide(TOKENS.meter, () => meter)
    .provide(TOKENS.log, (s) => {
      const logger = s.get(TOKENS.logger);
      const positions = createRunPositions({ sessions: s.get(TOKENS.sessions), logger });
      return observeRuns(opened.log, [(appended) => meter.runs.noteAppended(appended), positions]);
    });
}

/** What is stored in SQL. */
export function provideStores(scope: Scope, decorate: Decorate = {}): Scope {
  return scope
    .provide(TOKENS.runs, (s) => {
      const runs = createSqlRunStore({
        sessions: s.get(TOKENS.sessions),
        clock: s.get(TOKENS.clock),
        commandRetentionMs: s.get(TOKENS.config).limits.commandRetentionMs,
      });
      return decorate.runs?.(runs) ?? runs;
    })
    .provide(TOKENS.threadStore, (s) => createSqlThreadStore({ sessions: s.get(TOKENS.sessions) }));
}

/** Who is connected, and how events reach them. */
export function provideDelivery(scope: Scope, decorate: Decorate = {}): Scope {
  return scope
    .provide(TOKENS.pool, (s) => {
      const { limits } = s.get(TOKENS.config);
      return createConnectionPool({ clock: s.get(TOKENS.clock), logger: s.get(TOKENS.logger) }, limits);
    })
    .provide(TOKENS.bridge, (s) => {
      const { limits } = s.get(TOKENS.config);
      const bridge = createWebSocketBridgeFactory(
        {
          log: s.get(TOKENS.log),
          connections: s.get(TOKENS.pool),
          ids: s.get(TOKENS.ids),
          clock: s.get(TOKENS.clock),
          logger: s.get(TOKENS.logger),
          observer: s.get(TOKENS.meter),
          largeValues: createLargeValues({ sessions: s.get(TOKENS.sessions), clock: s.get(TOKENS.clock) }),
        },
        { delivery: limits, emit: limits },
      );
      return decorateConnections(decorate.bridge?.(bridge) ?? bridge, decorate.connection);
    });
}

/** The agents and what runs them. */
export function provideAgents(scope: Scope, further: readonly AgentDefinition[]): Scope {
  return scope
    .provide(TOKENS.agents, (s) => {
      const demo = createDemoAgent({ clock: s.get(TOKENS.clock) });
      return createAgentRegistry([demo, ...further], { defaultAgent: DEFAULT_AGENT });
    })
    .provide(TOKENS.supervisor, (s) =>
      createRunSupervisor(agentRuntime(s), agentOptions(s.get(TOKENS.config))),
    )
    .provide(TOKENS.handler, (s) =>
      createAgentMessageHandler(
        { ...agentRuntime(s), supervisor: s.get(TOKENS.supervisor) },
        agentOptions(s.get(TOKENS.config)),
      ),
    );
}

/** Authentication and threads. */
export function provideServices(
  scope: Scope,
  made: { readonly passwords: Passwords; readonly jwtSecret: string },
): Scope {
  return scope
    .provide(TOKENS.auth, (s) => {
      const config = s.get(TOKENS.config);
      const clock = s.get(TOKENS.clock);
      return createAuthService({
        clock,
        logger: s.get(TOKENS.logger),
        ids: s.get(TOKENS.ids),
        passwords: made.passwords,
        tokens: createAccessTokens(clock, {
          secret: made.jwtSecret,
          lifetimeMs: config.accessTokenLifetimeMs,
        }),
        throttle: createThrottle({ ...config, windowMs: THROTTLE_WINDOW_MS }),
      });
    })
    .provide(TOKENS.outbox, (s) =>
      createOutboxSender({
        clock: s.get(TOKENS.clock),
        logger: s.get(TOKENS.logger),
        events: s.get(TOKENS.bridge),
        runs: s.get(TOKENS.runs),
      }),
    )
    .provide(TOKENS.threads, (s) =>
      createThreadService({
        clock: s.get(TOKENS.clock),
        logger: s.get(TOKENS.logger),
        ids: s.get(TOKENS.ids),
        sessions: s.get(TOKENS.sessions),
        outbox: s.get(TOKENS.outbox),
        log: s.get(TOKENS.log),
        supervisor: s.get(TOKENS.supervisor),
      }),
    );
}

/** How agents are run, by the configuration. */
export function agentOptions(config: ServerConfig): AgentRuntimeOptions {
  const { limits, maxRunAttempts, maxAnswerBytes } = config;
  const { runTimeoutMs, runIdleTimeoutMs: idleTimeoutMs, stopTimeoutMs } = limits;
  return {
    ...limits,
    maxRunAttempts,
    maxAnswerBytes,
    limits: { runTimeoutMs, idleTimeoutMs, stopTimeoutMs },
  };
}

function agentRuntime(s: Scope) {
  return {
    clock: s.get(TOKENS.clock),
    logger: s.get(TOKENS.logger),
    ids: s.get(TOKENS.ids),
    emitters: s.get(TOKENS.bridge),
    threads: s.get(TOKENS.threadStore),
    runs: s.get(TOKENS.runs),
    agents: s.get(TOKENS.agents),
  };
}
