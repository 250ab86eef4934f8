import type { Action, WorldPlan } from './plan.js';
import type { Prng } from './prng.js';
import type { Script, Step } from './server/agent.js';

const WEIGHTS = {
  stop: 2,
  reload: 5,
  offline: 4,
  visible: 2,
  cut: 8,
  cutAfter: 8,
  stall: 5,
  reach: 3,
  slow: 3,
  deaf: 7,
  freeze: 3,
  jump: 1,
  block: 2,
  crash: 7,
  restart: 2,
  disk: 4,
  database: 2,
  tokens: 2,
  revoke: 1,
  trim: 1,
  delete: 2,
} as const;

const MAKERS: {
  readonly [K in keyof typeof WEIGHTS]: (
    prng: Prng,
    tab: string,
    world: WorldPlan,
  ) => Omit<Extract<Action, { kind: K }>, 'atMs'>;
} = {
  stop: (_, tab) => ({ kind: 'stop', tab }),
  reload: (prng, tab) => ({
    kind: 'reload',
    tab,
    how: prng.pick(['goodbye', 'fin', 'rst', 'silent']),
    awayMs: prng.magnitude(10, 5_000),
  }),
  offline: (prng, tab) => ({
    kind: 'offline',
    tab,
    ms: prng.magnitude(100, 20_000),
    isTold: prng.chance(0.7),
  }),
  visible: (_, tab) => ({ kind: 'visible', tab }),
  cut: (prng, tab) => ({
    kind: 'cut',
    tab,
    news: prng.pick(['both', 'client', 'server', 'nobody']),
    answersStrays: prng.chance(0.5),
  }),
  cutAfter: (prng, tab) => ({
    kind: 'cutAfter',
    tab,
    to: prng.chance(0.8) ? 'client' : 'server',
    bytes: prng.magnitude(1, 20_000),
    news: prng.pick(['both', 'client', 'server', 'nobody']),
  }),
  stall: (prng, tab) => ({ kind: 'stall', tab, ms: prng.magnitude(50, 20_000) }),
  reach: (prng, tab) => ({
    kind: 'reach',
    tab,
    reach: prng.pick(['refused', 'away']),
    ms: prng.magnitude(100, 15_000),
  }),
  slow: (prng, tab) => ({
    kind: 'slow',
    tab,
    bytesPerSecond: prng.magnitude(200, 50_000),
    ms: prng.magnitude(500, 15_000),
  }),
  deaf: (prng, tab) => ({ kind: 'deaf', tab, ms: prng.magnitude(200, 60_000) }),
  freeze: (prng, tab) => ({ kind: 'freeze', tab, ms: prng.magnitude(50, 15_000) }),
  jump: (prng, tab) => ({
    kind: 'jump',
    who: prng.chance(0.5) ? tab : 'node',
    ms: prng.int(-60_000, 60_000),
  }),
  block: (prng) => ({ kind: 'block', node: prng.int(0, 1), ms: prng.magnitude(20, 4_000) }),
  crash: (prng) => ({
    kind: 'crash',
    node: prng.int(0, 1),
    how: prng.chance(0.65) ? 'kill' : 'power',
    point: prng.weighted({
      now: 3,
      transaction: 1,
      committed: 2,
      append: 1,
      appended: 2,
      write: 2,
      frame: 1,
    }),
    after: prng.magnitude(1, 30) - 1,
    news: prng.pick(['fin', 'rst', 'silent']),
    keptBytes: prng.chance(0.5) ? 0 : prng.magnitude(1, 2_000),
    downMs: prng.magnitude(50, 5_000),
  }),
  restart: (prng) => ({ kind: 'restart', node: prng.int(0, 1), downMs: prng.magnitude(50, 2_000) }),
  disk: (prng) => ({ kind: 'disk', fault: inventDiskFault(prng), ms: prng.magnitude(50, 8_000) }),
  database: (prng) => ({ kind: 'database', ms: prng.magnitude(20, 4_000) }),
  tokens: (prng) => ({
    kind: 'tokens',
    fault: prng.pick(['expired', 'failing', 'slow']),
    ms: prng.magnitude(100, 8_000),
  }),
  revoke: (_, tab) => ({ kind: 'revoke', user: tab.slice(0, 1) }),
  delete: (_, tab) => ({ kind: 'delete', user: tab.slice(0, 1) }),
  trim: (prng, tab) => ({ kind: 'trim', user: tab.slice(0, 1), keep: prng.int(0, 20) }),
};

/** Invents a message that starts a run. */
export function inventSend(
  prng: Prng,
  { world, number, atMs }: { readonly world: WorldPlan; readonly number: number; readonly atMs: number },
): Action {
  const tab = prng.pick(world.tabs).name;
  return {
    atMs,
    kind: 'send',
    tab,
    script: inventScript(prng, number),
    thread: prng.chance(0.6) ? 'new' : 'last',
  };
}

/** Invents something that goes wrong. */
export function inventFault(
  prng: Prng,
  { world, atMs }: { readonly world: WorldPlan; readonly atMs: number },
): Action {
  const kind = prng.weighted(WEIGHTS);
  return { atMs, ...MAKERS[kind](prng, prng.pick(world.tabs).name, world) } as Action;
}

function inventDiskFault(prng: Prng): Extract<Action, { kind: 'disk' }>['fault'] {
  switch (prng.weighted({ full: 3, failing: 3, slow: 3 })) {
    case 'full':
      return { kind: 'full', roomBytes: prng.magnitude(1, 3_000) };
    case 'failing':
      return {
        kind: 'failing',
        operation: prng.pick(['write', 'write', 'sync', 'read', 'create']),
        probability: prng.pick([0.1, 0.5, 1]),
      };
    case 'slow':
      return { kind: 'slow', ms: prng.magnitude(10, 1_500) };
  }
}

function inventScript(prng: Prng, number: number): Script {
  const steps = Array.from({ length: prng.int(1, 5) }, () => inventStep(prng));
  return { number, steps, ending: prng.weighted({ return: 16, throw: 2, hang: 1 }) };
}

function inventStep(prng: Prng): Step {
  const kind = prng.weighted({ text: 8, reasoning: 2, thinking: 1, problem: 1, tool: 3, pause: 2 });
  switch (kind) {
    case 'text':
    case 'reasoning':
      return {
        kind,
        pieces: prng.magnitude(1, 60),
        size: prng.magnitude(1, 300),
        salt: prng.int(0, 1_000_000),
        paceMs: prng.chance(0.4) ? 0 : prng.magnitude(1, 300),
        awaits: prng.chance(0.7),
      };
    case 'thinking':
    case 'problem':
      return { kind, text: prng.pick(['…', 'still here', 'größer als gedacht 🤔']) };
    case 'tool':
      return {
        kind,
        outcome: prng.weighted({ success: 6, error: 1, missing: 1, slow: 1 }),
        progress: prng.int(0, 6),
        paceMs: prng.magnitude(1, 300),
      };
    case 'pause':
      return { kind, ms: prng.magnitude(10, 4_000) };
  }
}
