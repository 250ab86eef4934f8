import type { Action, Plan, TabPlan, WorldPlan } from './plan.js';
import type { Script, Step } from './server/agent.js';

/** What a plan was shrunk to, and how many were tried. */
export interface Shrunk {
  readonly plan: Plan;
  readonly tries: number;
}

/**
 * Makes a failing plan as small as it goes: fewer actions, fewer tabs, a plainer world, shorter scripts, each kept
 * only when `fails` says that the plan still does. Ends after `maxTries`.
 */
export async function shrinkPlan(
  plan: Plan,
  fails: (candidate: Plan) => Promise<boolean>,
  maxTries: number,
): Promise<Shrunk> {
  const search = new Search(plan, fails, maxTries);
  for (let before: Plan | undefined; before !== search.plan && search.hasTries; ) {
    before = search.plan;
    await search.removeActions();
    await search.removeTabs();
    await search.simplifyWorld();
    await search.simplifyScripts();
  }
  return { plan: search.plan, tries: search.tries };
}

class Search {
  plan: Plan;
  tries = 0;
  readonly #fails: (candidate: Plan) => Promise<boolean>;
  readonly #maxTries: number;

  constructor(plan: Plan, fails: (candidate: Plan) => Promise<boolean>, maxTries: number) {
    this.plan = plan;
    this.#fails = fails;
    this.#maxTries = maxTries;
  }

  get hasTries(): boolean {
    return this.tries < this.#maxTries;
  }

  /** Delta debugging: halves first, then ever smaller parts, down to single actions. */
  async removeActions(): Promise<void> {
    await this.#removeParts(
      () => this.plan.actions,
      (actions) => ({ ...this.plan, actions }),
    );
  }

  async removeTabs(): Promise<void> {
    for (const { name } of this.plan.world.tabs) {
      if (this.plan.world.tabs.length > 1) await this.#try(withoutTab(this.plan, name));
    }
  }

  async simplifyWorld(): Promise<void> {
    for (const simplify of PLAINER) {
      const world = simplify(this.plan.world);
      if (JSON.stringify(world) !== JSON.stringify(this.plan.world)) await this.#try({ ...this.plan, world });
    }
  }

  async simplifyScripts(): Promise<void> {
    for (const index of this.plan.actions.keys()) {
      await this.#removeParts(
        () => scriptAt(this.plan, index)?.steps ?? [],
        (steps) => withScript(this.plan, index, (script) => ({ ...script, steps })),
      );
      for (const step of (scriptAt(this.plan, index)?.steps ?? []).keys()) {
        await this.#try(withScript(this.plan, index, (script) => withPlainStep(script, step)));
      }
    }
  }

  async #removeParts<T>(items: () => readonly T[], planOf: (items: readonly T[]) => Plan): Promise<void> {
    for (let size = Math.ceil(items().length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let start = 0; start < items().length; ) {
        const left = items().filter((_, index) => index < start || index >= start + size);
        if (!(await this.#try(planOf(left)))) start += size;
      }
    }
  }

  async #try(candidate: Plan): Promise<boolean> {
    if (!this.hasTries) return false;
    this.tries += 1;
    if (!(await this.#fails(candidate))) return false;
    this.plan = candidate;
    return true;
  }
}

/** The same world with one thing less to think of. */
const PLAINER: readonly ((world: WorldPlan) => WorldPlan)[] = [
  (world) => ({ ...world, nodes: 1 }),
  (world) => ({ ...world, maxReadMs: 0 }),
  (world) => ({ ...world, retryOnCrash: false }),
  (world) => ({ ...world, maxTransactionMs: 1 }),
  (world) => ({ ...world, nodeClock: EXACT }),
  (world) => ({ ...world, log: { kind: 'shared', maxLatencyMs: 1 } }),
  (world) => ({ ...world, limits: { ...world.limits, retentionEvents: 1_000_000 } }),
  (world) => withTabs(world, (tab) => ({ ...tab, opensAtMs: 0 })),
  (world) => withTabs(world, (tab) => ({ ...tab, clock: EXACT })),
  (world) => withTabs(world, (tab) => ({ ...tab, path: PLAIN_PATH })),
  (world) =>
    withTabs(world, (tab) => ({
      ...tab,
      webSockets: 'pass',
      page: { ...tab.page, transport: 'websocket' },
    })),
  (world) => withTabs(world, (tab) => ({ ...tab, page: { ...tab.page, readerPaceMs: 0 } })),
  (world) => withTabs(world, (tab) => ({ ...tab, page: { ...tab.page, failsOnceIn: 0 } })),
  (world) => withTabs(world, (tab) => ({ ...tab, page: { ...tab.page, keepsCommands: false } })),
  (world) => withTabs(world, (tab) => ({ ...tab, page: { ...tab.page, keeping: 'replayed' } })),
];

const EXACT = { skewMs: 0, maxTimerDelayMs: 1, maxTimerLeadMs: 0 };
const PLAIN_PATH = {
  latencyMs: 1,
  jitterMs: 1,
  bytesPerSecond: 10_000_000,
  windowBytes: 131_072,
  segmentBytes: 1_460,
};

function withTabs(world: WorldPlan, change: (tab: TabPlan) => TabPlan): WorldPlan {
  return { ...world, tabs: world.tabs.map(change) };
}

/** Without a tab, and without what happens to it. */
function withoutTab(plan: Plan, name: string): Plan {
  const tabs = plan.world.tabs.filter((tab) => tab.name !== name);
  const users = new Set(tabs.map(({ user }) => user));
  const concerns = (action: Action): boolean =>
    ('tab' in action && action.tab === name) || ('user' in action && !users.has(action.user));
  return {
    ...plan,
    world: { ...plan.world, tabs },
    actions: plan.actions.filter((action) => !concerns(action)),
  };
}

function scriptAt(plan: Plan, index: number): Script | undefined {
  const action = plan.actions[index];
  return action?.kind === 'send' ? action.script : undefined;
}

function withScript(plan: Plan, index: number, change: (script: Script) => Script): Plan {
  const actions = plan.actions.map((action, at) =>
    at === index && action.kind === 'send' ? { ...action, script: change(action.script) } : action,
  );
  return { ...plan, actions };
}

function withPlainStep(script: Script, index: number): Script {
  return { ...script, steps: script.steps.map((step, at) => (at === index ? plainStep(step) : step)) };
}

function plainStep(step: Step): Step {
  switch (step.kind) {
    case 'text':
    case 'reasoning':
      return { ...step, pieces: Math.ceil(step.pieces / 2), size: Math.ceil(step.size / 2) };
    case 'tool':
      return { ...step, progress: Math.floor(step.progress / 2), outcome: 'success' };
    case 'thinking':
    case 'problem':
    case 'pause':
      return step;
  }
}
