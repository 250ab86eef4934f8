import type { Page } from './page/page.js';
import type { Tab } from './page/tab.js';
import type { Action, ActionOf } from './plan.js';
import { messageOf, type Script } from './server/agent.js';
import { deleteThread } from './thread-deletion.js';
import type { World } from './world.js';

/** Makes an action happen, now. */
export function perform(world: World, action: Action): void {
  const deed = DEEDS[action.kind] as (world: World, action: Action) => void;
  world.note('fate', () => describeAction(action));
  deed(world, action);
}

/** An action as a reader sees it: when it happens stands beside it, and what an agent does shows. */
function describeAction(action: Action): string {
  return JSON.stringify(action, (key, value: unknown) => {
    if (key === 'atMs') return undefined;
    return key === 'script' ? `#${(value as Script).number}` : value;
  });
}

const DEEDS: { readonly [K in Action['kind']]: (world: World, action: ActionOf<K>) => void } = {
  send: (world, action) => withPage(world, action.tab, (page, tab) => send(world, { page, tab }, action)),
  stop: (world, action) => withPage(world, action.tab, (page, tab) => stopLast(world, page, tab)),
  reload: (world, { tab: name, how, awayMs }) => {
    const tab = tabOf(world, name);
    tab.kill(how);
    later(world, awayMs, 'reopen', () => tab.open());
  },
  offline: (world, { tab: name, ms, isTold }) => {
    const tab = tabOf(world, name);
    tab.device.reach = 'away';
    for (const connection of tab.device.live) connection.hold();
    if (isTold) tab.signal('offline');
    later(world, ms, 'online', () => {
      tab.device.reach = 'up';
      for (const connection of tab.device.live) connection.letGo();
      tab.signal('online');
    });
  },
  visible: (world, { tab }) => tabOf(world, tab).signal('visible'),
  cut: (world, { tab, news, answersStrays }) => {
    for (const connection of tabOf(world, tab).device.live) connection.cut(news, answersStrays);
  },
  cutAfter: (world, { tab, to, bytes, news }) => {
    for (const connection of tabOf(world, tab).device.live) connection.cutAfter(to, bytes, news);
  },
  stall: (world, { tab, ms }) => {
    const { live } = tabOf(world, tab).device;
    for (const connection of live) connection.hold();
    later(world, ms, 'stall over', () => {
      for (const connection of live) connection.letGo();
    });
  },
  reach: (world, { tab, reach, ms }) => {
    const { device } = tabOf(world, tab);
    device.reach = reach;
    later(world, ms, 'reach up', () => {
      device.reach = 'up';
    });
  },
  slow: (world, { tab, bytesPerSecond, ms }) => {
    const { conditions } = tabOf(world, tab).device;
    conditions.bytesPerSecond = bytesPerSecond;
    later(world, ms, 'fast again', () => {
      conditions.bytesPerSecond = Number.POSITIVE_INFINITY;
    });
  },
  deaf: (world, { tab, ms }) => {
    const { device } = tabOf(world, tab);
    world.network.setReading(device, false);
    later(world, ms, 'reads again', () => world.network.setReading(device, true));
  },
  freeze: (world, { tab, ms }) => {
    const { actor } = tabOf(world, tab);
    if (actor !== undefined) world.scheduler.stall(actor, ms);
  },
  jump: (world, { who, ms }) => {
    const tab = world.tabs.find(({ name }) => name === who);
    if (tab === undefined) world.cluster.jump(0, ms);
    else tab.clock?.jump(ms);
  },
  block: (world, { node, ms }) => world.cluster.block(node, ms),
  crash: (world, action) => world.cluster.crash(action),
  restart: (world, { node, downMs }) => {
    world.cluster
      .restart(node, downMs)
      .catch((cause: unknown) =>
        world.verdicts.violated('shutdown', `a process failed to stop: ${String(cause)}`),
      );
  },
  disk: (world, { fault, ms }) => {
    world.disk.fault = fault;
    later(world, ms, 'disk well', () => {
      world.disk.fault = { kind: 'none' };
    });
  },
  database: (world, { ms }) => {
    world.database.isFailing = true;
    later(world, ms, 'database well', () => {
      world.database.isFailing = false;
    });
  },
  tokens: (world, { fault, ms }) => {
    world.tokens.fault = fault;
    later(world, ms, 'tokens well', () => {
      world.tokens.fault = 'none';
    });
  },
  revoke: (world, { user }) => {
    const userId = world.users.get(user);
    if (userId !== undefined) world.tokens.revoke(userId);
  },
  delete: (world, { user }) => {
    const userId = world.users.get(user);
    const threadId = userId && world.database.threadsOf(userId).at(-1);
    if (userId !== undefined && threadId !== undefined) void deleteThread(world, { userId, threadId });
  },
  trim: (world, { user, keep }) => void trim(world, user, keep),
};

function send(world: World, { page, tab }: { page: Page; tab: Tab }, action: ActionOf<'send'>): void {
  const threadId = action.thread === 'new' ? undefined : [...page.state.values()].at(-1)?.threadId;
  const { script } = action;
  const message = { content: messageOf(script), ...(threadId === undefined ? {} : { threadId }) };
  const { commands, database } = world;
  const { number } = script;
  commands.sent(number, { tab: tab.name, isKept: page.options.keepsCommands });
  page.client.send(message).then(
    ({ runId }) => {
      world.note(tab.name, () => `#${number} accepted: ${runId}`);
      commands.answered(number, runId, database.runsFor(number));
    },
    (cause: unknown) => {
      world.note(tab.name, () => `#${number} not accepted: ${String(cause)}`);
      commands.refused(number);
    },
  );
}

function stopLast(world: World, page: Page, tab: Tab): void {
  const running = [...page.state.values()].findLast(({ status }) => status === 'running');
  if (running === undefined) return;
  page.client.stop(running.runId).then(
    ({ status }) => world.note(tab.name, () => `${running.runId} stopped: ${status}`),
    (cause: unknown) => world.note(tab.name, () => `${running.runId} not stopped: ${String(cause)}`),
  );
}

async function trim(world: World, user: string, keep: number): Promise<void> {
  const userId = world.users.get(user);
  const log = world.cluster.listening[0]?.log;
  if (userId === undefined || log === undefined) return;
  world.excuse('trimmed');
  try {
    const { head } = await log.stream(userId);
    await log.trim(userId, { before: head + 1 - keep });
  } catch (cause) {
    world.note('fate', () => `not trimmed: ${String(cause)}`);
  }
}

function tabOf(world: World, name: string): Tab {
  const tab = world.tabs.find((one) => one.name === name);
  if (tab === undefined) throw new RangeError(`There is no tab ${name}.`);
  return tab;
}

function withPage(world: World, name: string, use: (page: Page, tab: Tab) => void): void {
  const tab = tabOf(world, name);
  if (tab.page !== undefined) use(tab.page, tab);
}

function later(world: World, delayMs: number, what: string, run: () => void): void {
  world.scheduler.schedule(world.fate, delayMs, what, run);
}
