import { fileURLToPath } from 'node:url';
import { type AgentDefinition, createRecovery } from '@runwire/agent-handler';
import { createMemoryEventLog, type MemoryEventLogOptions } from '@runwire/event-log';
import { createIdGenerator } from '@runwire/id-generation';
import { type Clock, createSystemClock, type Logger } from '@runwire/kernel';
import { createPasswords } from '../auth/passwords.js';
import { provideAgents, provideDelivery, provideServices, provideStores } from '../composition/providers.js';
import { createScope, type Scope } from '../composition/scope.js';
import { TOKENS } from '../composition/tokens.js';
import { parseEnvironment, type ServerConfig } from '../config/environment.js';
import { keptJwtSecret } from '../config/jwt-secret.js';
import { createServerLogger } from '../logging.js';
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
    const scope = await openFoundation({ clock, logger, config, phase, process });
    const router = await composeRouter(scope, { phase, process, options });
    const { url, port } = await phase('listen', () => listen(router.app, config));
    await phase('ready', () => process.becomeReady());
    logger.info({ url, phases: startup.report().phases }, 'ready');
    return process.running({ url, port, stats: () => router.stats() });
  } catch (error) {
    await process.close();
    throw error;
  }
}

type RunPhase = <T>(name: StartupPhase, work: () => T | Promise<T>) => Promise<T>;

async function openFoundation(start: {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: ServerConfig;
  readonly phase: RunPhase;
  readonly process: ServerProcess;
}): Promise<Scope> {
  const { clock, logger, config, phase, process } = start;
  const ids = createIdGenerator({ clock });
  const database = await phase('database', () => openDatabase(config, logger));
  process.onClose('database', () => database.close());
  const log = await phase('event log', () =>
    createMemoryEventLog({ clock, ids, logger }, eventLogOptions(config)),
  );
  process.onClose('event log', () => log.close());
  const scope = provideStores(
    createScope()
      .provide(TOKENS.config, () => config)
      .provide(TOKENS.clock, () => clock)
      .provide(TOKENS.logger, () => logger)
      .provide(TOKENS.ids, () => ids)
      .provide(TOKENS.sessions, () => database.sessions)
      .provide(TOKENS.log, () => log)
      .provide(TOKENS.states, () => new WeakMap()),
  );
  await phase('recovery', async () => {
    const recovery = createRecovery({ clock, logger, runs: scope.get(TOKENS.runs) });
    logger.info({ ...(await recovery.recover({ log })) }, 'recovered');
  });
  return scope;
}

async function composeRouter(
  scope: Scope,
  start: { readonly phase: RunPhase; readonly process: ServerProcess; readonly options: StartOptions },
): Promise<Router> {
  const { phase, process, options } = start;
  provideDelivery(scope);
  const pool = await phase('pool', () => {
    const made = scope.get(TOKENS.pool);
    made.start();
    return made;
  });
  process.onClose('connection pool', () => pool.close());
  const bridge = await phase('bridge factory', () => scope.get(TOKENS.bridge));
  process.onClose('bridge factory', () => bridge.close());
  provideAgents(scope, options.agents ?? []);
  const supervisor = await phase('agents', () => scope.get(TOKENS.supervisor));
  const router = await phase('router', async () => {
    const { jwtSecret, dataDirectory } = scope.get(TOKENS.config);
    provideServices(scope, {
      jwtSecret: jwtSecret ?? (await keptJwtSecret(dataDirectory)),
      passwords: await createPasswords(),
    });
    process.onClose('outbox', () => scope.get(TOKENS.outbox).close());
    await scope.get(TOKENS.threads).resumeDeletions();
    return await createRouter(scope, {
      startup: () => process.startup.report(),
      readiness: () => process.readiness(),
      webDirectory: options.webDirectory ?? WEB_DIRECTORY,
    });
  });
  // Last opened, first closed: runs end while their users can still see it.
  process.onClose('http', (remainingMs) => router.closeHttp(remainingMs));
  process.onClose('sockets', () => router.sockets.close());
  process.onClose('runs', (remainingMs) => supervisor.drain({ timeoutMs: remainingMs * RUNS_SHARE }));
  return router;
}

/** Share of the shutdown time in which runs may end by themselves; the rest is for the steps behind. */
const RUNS_SHARE = 0.8;

function eventLogOptions({ limits }: ServerConfig): MemoryEventLogOptions {
  const { retentionMs, retentionEvents, retentionBytes, maxEventBytes } = limits;
  return {
    retention: { maxAgeMs: retentionMs, maxEvents: retentionEvents, maxBytes: retentionBytes },
    maxEventBytes,
  };
}
