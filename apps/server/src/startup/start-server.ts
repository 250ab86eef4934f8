import { fileURLToPath } from 'node:url';
import { type AgentDefinition, createRecovery, type RecoveryReport } from '@runwire/agent-handler';
import { createIdGenerator } from '@runwire/id-generation';
import { type Clock, createSystemClock, type Logger } from '@runwire/kernel';
import { createPasswords } from '../auth/passwords.js';
import type { Decorate } from '../composition/decorate.js';
import {
  agentOptions,
  provideAgents,
  provideDelivery,
  provideLog,
  provideServices,
  provideStores,
} from '../composition/providers.js';
import { createScope, type Scope } from '../composition/scope.js';
import { TOKENS } from '../composition/tokens.js';
import { parseEnvironment, type ServerConfig } from '../config/environment.js';
import { keptJwtSecret } from '../config/jwt-secret.js';
import { DeliveryMeter } from '../delivery/delivery-meter.js';
import { createServerLogger } from '../logging.js';
import { drainServer } from './drain.js';
import { openEventLog } from './event-log.js';
import { openDatabase } from './foundation.js';
import { listen } from './listen.js';
import { Startup, type StartupPhase } from './phases.js';
import { createRouter, type Router } from './router.js';
import { type RunningServer, ServerProcess } from './server-process.js';

/** What a test may put in place of the machine's own. Nothing here changes what is promised. */
export interface StartOptions {
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Further agents beside the built-in one. */
  readonly agents?: readonly AgentDefinition[];
  /** Awaited before each phase. */
  readonly beforePhase?: (phase: StartupPhase) => Promise<void>;
  /** Put around parts of the server, to let them fail or to end the process in their midst. */
  readonly decorate?: Decorate;
  /** The built page. */
  readonly webDirectory?: string;
}

const WEB_DIRECTORY = fileURLToPath(new URL('../../../web/dist', import.meta.url));

/**
 * Starts a server from its environment: `config → logging → database → event log → recovery → pool → bridge
 * factory → agents → router → listen → ready`. Sockets are refused until it is ready.
 * @throws ConfigError, StartupError with the failed phase; what was opened before is closed again
 */
export async function startServer(
  environment: Readonly<Record<string, string | undefined>>,
  options: StartOptions = {},
): Promise<RunningServer> {
  const clock = options.clock ?? createSystemClock();
  const startup = new Startup(clock);
  const phase: RunPhase = async (name, work) => {
    await options.beforePhase?.(name);
    return await startup.run(name, work);
  };
  const config = await phase('config', () => parseEnvironment(environment));
  const logger = await phase('logging', () => options.logger ?? createServerLogger(config));
  const process = new ServerProcess({ clock, logger }, startup, config.limits.shutdownTimeoutMs);
  try {
    const { scope, recovered } = await openFoundation({ clock, logger, config, phase, process, options });
    const router = await composeRouter(scope, { phase, process, options });
    const { url, port } = await phase('listen', () => listen(router.app, config));
    await phase('ready', () => process.becomeReady());
    // Not before: a start that fails here uses up no attempt.
    scope.get(TOKENS.supervisor).resume(recovered);
    logger.info({ url, phases: startup.report().phases }, 'ready');
    return process.running({ url, port, stats: () => router.stats() });
  } catch (error) {
    await process.close();
    throw error;
  }
}

type RunPhase = <T>(name: StartupPhase, work: () => T | Promise<T>) => Promise<T>;

/** What stands before anybody can connect. */
interface Foundation {
  readonly scope: Scope;
  readonly recovered: RecoveryReport;
}

async function openFoundation(start: {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: ServerConfig;
  readonly phase: RunPhase;
  readonly process: ServerProcess;
  readonly options: StartOptions;
}): Promise<Foundation> {
  const { clock, logger, config, phase, process } = start;
  const { decorate = {}, agents = [] } = start.options;
  const ids = createIdGenerator({ clock });
  const database = await phase('database', () => openDatabase(config, logger));
  process.onClose('database', () => database.close());
  const meter = new DeliveryMeter({ clock });
  const events = await phase('event log', () =>
    openEventLog({ clock, ids, logger, observer: meter }, config, decorate),
  );
  process.onClose('event log', () => events.log.close());
  process.dependsOn('event log', () => events.stats()?.failing);
  const scope = createScope()
    .provide(TOKENS.config, () => config)
    .provide(TOKENS.clock, () => clock)
    .provide(TOKENS.logger, () => logger)
    .provide(TOKENS.ids, () => ids)
    .provide(TOKENS.sessions, () => database.sessions)
    .provide(TOKENS.states, () => new WeakMap());
  provideAgents(provideStores(provideLog(scope, events, meter), decorate), agents);
  const recovered = await phase('recovery', () => recover(scope));
  return { scope, recovered };
}

async function recover(scope: Scope): Promise<RecoveryReport> {
  const logger = scope.get(TOKENS.logger);
  const recovery = createRecovery(
    {
      clock: scope.get(TOKENS.clock),
      logger,
      ids: scope.get(TOKENS.ids),
      agents: scope.get(TOKENS.agents),
      runs: scope.get(TOKENS.runs),
    },
    agentOptions(scope.get(TOKENS.config)),
  );
  const report = await recovery.recover({ log: scope.get(TOKENS.log) });
  logger.info({ ...report, retries: report.retries.length }, 'recovered');
  return report;
}

async function composeRouter(
  scope: Scope,
  start: { readonly phase: RunPhase; readonly process: ServerProcess; readonly options: StartOptions },
): Promise<Router> {
  const { phase, process, options } = start;
  const clock = scope.get(TOKENS.clock);
  provideDelivery(scope, options.decorate);
  const pool = await phase('pool', () => {
    const made = scope.get(TOKENS.pool);
    made.start();
    return made;
  });
  process.onClose('connection pool', () => pool.close());
  const bridge = await phase('bridge factory', () => scope.get(TOKENS.bridge));
  process.onClose('bridge factory', () => bridge.close());
  const supervisor = await phase('agents', () => scope.get(TOKENS.supervisor));
  const router = await phase('router', async () => {
    const { jwtSecret, dataDirectory } = scope.get(TOKENS.config);
    provideServices(scope, {
      jwtSecret: jwtSecret ?? (await keptJwtSecret(dataDirectory)),
      passwords: createPasswords(),
    });
    process.onClose('outbox', () => scope.get(TOKENS.outbox).close());
    await scope.get(TOKENS.threads).resumeDeletions();
    return await createRouter(scope, {
      startup: () => process.startup.report(),
      readiness: () => process.readiness(),
      health: () => process.health(),
      webDirectory: options.webDirectory ?? WEB_DIRECTORY,
    });
  });
  // Last opened, first closed: runs end while their users can still see it.
  process.onClose('http', (remainingMs) => router.closeHttp(remainingMs));
  process.onClose('sockets', () => router.sockets.close());
  const { drainWindowMs: windowMs } = scope.get(TOKENS.config).limits;
  process.onClose('drain', (remainingMs) =>
    drainServer({ clock, pool, supervisor }, { windowMs, remainingMs }),
  );
  return router;
}
