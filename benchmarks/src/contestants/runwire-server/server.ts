import type { WebSocketBridgeFactory } from '@runwire/bridge-factory';
import { createIdGenerator } from '@runwire/id-generation';
import { createSystemClock } from '@runwire/kernel';
import { startServer } from '@runwire/server';
import type { ServerContestant } from '../contract.js';
import { createStderrLogger } from '../runwire/logger.js';
import { UserRuns } from '../runwire/user-runs.js';
import { registerAccounts } from './accounts.js';
import { serverEnvironment } from './environment.js';

/**
 * The reference server itself, with its accounts, database, metrics and HTTP, to show that the composition measured
 * elsewhere leaves nothing out. Its own bridge emits.
 */
export const server: ServerContestant = {
  async start({ users, directory }) {
    let bridge: WebSocketBridgeFactory | undefined;
    const decorate = {
      bridge(composed: WebSocketBridgeFactory): WebSocketBridgeFactory {
        bridge = composed;
        return composed;
      },
    };
    const logger = createStderrLogger();
    const running = await startServer(serverEnvironment(directory), { logger, decorate });
    if (bridge === undefined) throw new Error('The server has no bridge.');
    const ids = createIdGenerator({ clock: createSystemClock() });
    const deps = { bridge, ids };
    const accounts = await registerAccounts(running.url, users.length);
    const runs = accounts.map(({ userId }) => new UserRuns(deps, userId, 'distinct'));
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
        await running.close();
      },
    };
  },
};
