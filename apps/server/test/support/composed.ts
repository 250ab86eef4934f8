import type { AgentDefinition } from '@runwire/agent-handler';
import { createMemoryEventLog, type EventLog } from '@runwire/event-log';
import { createIdGenerator, type IdGenerator } from '@runwire/id-generation';
import { type Clock, createSystemClock } from '@runwire/kernel';
import { createRecordingLogger, type RecordingLogger } from '@runwire/kernel/testing';
import type { Passwords } from '../../src/auth/passwords.js';
import {
  provideAgents,
  provideDelivery,
  provideLog,
  provideServices,
  provideStores,
} from '../../src/composition/providers.js';
import { createScope, type Scope } from '../../src/composition/scope.js';
import { TOKENS } from '../../src/composition/tokens.js';
import { parseEnvironment } from '../../src/config/environment.js';
import { DeliveryMeter } from '../../src/delivery/delivery-meter.js';
import type { ReadinessReport } from '../../src/http/routes/health.js';
import { createRouter, type Router } from '../../src/startup/router.js';
import { openTestDatabase, type TestDatabase } from './database.js';

/** The whole server but its port, over a database and a log in memory. */
export interface Composed extends AsyncDisposable {
  readonly scope: Scope;
  readonly router: Router;
  readonly database: TestDatabase;
  readonly log: EventLog;
  readonly ids: IdGenerator;
  readonly logger: RecordingLogger;
  /** Registers a user and settles to the headers of a signed-in request, with the answer. */
  register(name: string): Promise<SignedIn>;
}

/** A signed-in user. */
export interface SignedIn {
  readonly headers: { readonly authorization: string };
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly user: { readonly id: string; readonly email: string; readonly name: string };
}

/** What a test may vary. */
export interface ComposeOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly log?: EventLog;
  readonly agents?: readonly AgentDefinition[];
  readonly readiness?: () => ReadinessReport;
  readonly webDirectory?: string;
}

/** Real hashing takes its time on purpose. */
const QUICK_PASSWORDS: Passwords = {
  hash: async (password) => `hash of ${password}`,
  verify: async (passwordHash, password) => passwordHash === `hash of ${password}`,
};

/** Composes a server as `startServer` does. */
export async function compose(options: ComposeOptions = {}): Promise<Composed> {
  const { clock = createSystemClock(), agents = [] } = options;
  const config = parseEnvironment({ RUNWIRE_MAX_REQUESTS_PER_MINUTE: '1000000', ...options.environment });
  const logger = createRecordingLogger();
  const ids = createIdGenerator({ clock });
  const database = await openTestDatabase();
  const meter = new DeliveryMeter({ clock });
  const log = options.log ?? createMemoryEventLog({ clock, ids, logger, observer: meter });
  const scope = createScope()
    .provide(TOKENS.config, () => config)
    .provide(TOKENS.clock, () => clock)
    .provide(TOKENS.logger, () => logger)
    .provide(TOKENS.ids, () => ids)
    .provide(TOKENS.sessions, () => database.sessions)
    .provide(TOKENS.states, () => new WeakMap());
  provideLog(scope, { log, stats: () => undefined }, meter);
  provideAgents(provideDelivery(provideStores(scope)), agents);
  provideServices(scope, { passwords: QUICK_PASSWORDS, jwtSecret: 'a secret of more than 32 characters' });
  const readiness = options.readiness ?? (() => ({ ready: true as const }));
  const router = await createRouter(scope, {
    startup: () => ({ ready: true, waitingFor: undefined, phases: [] }),
    readiness,
    health: readiness,
    webDirectory: options.webDirectory ?? '/nowhere',
  });
  return {
    scope,
    router,
    database,
    log,
    ids,
    logger,
    async register(name) {
      const payload = { email: `${name}@example.org`, password: 'correct horse', name };
      const answer = await router.app.inject({ method: 'POST', url: '/auth/register', payload });
      if (answer.statusCode !== 201) throw new Error(`Registration was answered ${answer.body}`);
      const { accessToken, refreshToken, user } = answer.json();
      return { headers: { authorization: `Bearer ${accessToken}` }, accessToken, refreshToken, user };
    },
    async [Symbol.asyncDispose]() {
      scope.get(TOKENS.outbox).close();
      await scope.get(TOKENS.supervisor).close();
      await router.sockets.close();
      await router.app.close();
      await scope.get(TOKENS.bridge).close();
      await scope.get(TOKENS.pool).close();
      await log.close();
      await database[Symbol.asyncDispose]();
    },
  };
}
