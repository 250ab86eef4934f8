import { createWebSocketBridgeFactory } from '@runwire/bridge-factory';
import type { EventLog } from '@runwire/event-log';
import { createIdGenerator } from '@runwire/id-generation';
import { createSystemClock } from '@runwire/kernel';
import { startServer } from '@runwire/server';
import type { ServerContestant } from '../contract.js';
import { createStderrLogger } from '../runwire/logger.js';
import { DeliveryMeter } from '../runwire/meter.js';
import { RAISED_LIMITS } from '../runwire/raised-limits.js';
import { UserRuns } from '../runwire/user-runs.js';
import { registerAccounts } from './accounts.js';
import { serverEnvironment } from './environment.js';

/**
 * The reference server itself, with its accounts, database and HTTP, to show that the composition measured
 * elsewhere leaves nothing out. What it emits comes from emitters of a bridge of its own over the server's log,
 * because nobody is let in to the server's.
 */
export const server: ServerContestant = {
  async start({ users, directory }) {
    const logger = createStderrLogger();
    let log: EventLog | undefined;
    const decorate = {
      log(opened: EventLog): EventLog {
        log = opened;
        return opened;
      },
    };
    const running = await startServer(serverEnvironment(directory), { logger, decorate });
    if (log === undefined) throw new Error('The server opened no log.');
    const accounts = await registerAccounts(running.url, users.length);
    const clock = createSystemClock();
    const ids = createIdGenerator({ clock });
    const connections = { connectionsOf: () => [] };
    const bridge = createWebSocketBridgeFactory(
      { log: new DeliveryMeter(clock).observe(log), connections, ids, clock, logger },
      { emit: RAISED_LIMITS },
    );
    const runs = accounts.map(({ userId }) => new UserRuns({ bridge, ids }, userId, 'distinct'));
    return {
      port: running.port,
      tokens: accounts.map(({ token }) => token),
      async prepare(first, count) {
        await Promise.all(runs.slice(first, first + count).map((run) => run.begin()));
      },
      async finish() {
        await Promise.all(runs.map((run) => run.end()));
      },
      emit(user, text) {
        const of = runs[user];
        if (of === undefined) throw new Error(`There is no user ${user} in this run.`);
        return of.emit(text);
      },
      stats: () => ({ ...running.stats().bridge }),
      async close() {
        await bridge.close();
        await running.close();
      },
    };
  },
};
