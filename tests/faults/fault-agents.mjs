// @ts-check
// Agents that misbehave, each in its own way; a message names the one it wants.
import { defineAgent } from '@runwire/agent-handler';

/** How long the agent that blocks the event loop does so. */
const BLOCK_MS = 2_000;
/** Deltas of the agent that floods: 100,000 as fast as they are taken. */
const FLOOD_DELTAS = 100_000;

/**
 * @param {string} name
 * @param {import('@runwire/agent-handler').AgentDefinition['run']} run
 * @param {Partial<import('@runwire/agent-handler').RunLimits>} [limits]
 */
function agent(name, run, limits = {}) {
  return defineAgent({ name, description: `An agent of the tests that ${name}.`, limits, run });
}

/** One for each way. */
export const FAULT_AGENTS = [
  agent('throws', async ({ emit }) => {
    await emit.text('so far so good');
    throw new Error('a secret of the inside that nobody may see');
  }),
  agent('hangs', () => new Promise(() => undefined), { idleTimeoutMs: 1_500 }),
  agent('floods', async ({ emit, signal }) => {
    for (let index = 0; index < FLOOD_DELTAS && !signal.aborted; index += 1) await emit.text(`${index} `);
    return {};
  }),
  agent('floods-unawaited', async ({ emit, signal }) => {
    for (let index = 0; !signal.aborted; index += 1) {
      emit.text(`${index} `.repeat(100)).catch(() => undefined);
      // Timers run, so that only what was emitted can end it.
      if (index % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return {};
  }),
  // As many events as the message says, each of them durable and none merged.
  agent('thinks', async ({ emit, input }) => {
    const steps = Number(/\d+/.exec(input)?.[0] ?? 1);
    for (let step = 1; step <= steps; step += 1) await emit.thinking(`step ${step}`);
    return { text: `I thought ${steps} times.` };
  }),
  agent('returns-nothing', async () => undefined),
  agent('blocks', async ({ emit }) => {
    await emit.text('before');
    const endAtMs = performance.now() + BLOCK_MS;
    while (performance.now() < endAtMs);
    await emit.text(' and after');
    return {};
  }),
  // The only one that is begun again when its process dies: it says in which attempt it is, every 10 ms, as
  // often as the message asks, or for two seconds.
  defineAgent({
    name: 'begins-again',
    description: 'An agent of the tests that is begun again when its process dies.',
    retryOnCrash: true,
    run: async ({ emit, attempt, input }) => {
      const steps = Number(/\d+/.exec(input)?.[0] ?? 200);
      for (let step = 1; step <= steps; step += 1) {
        await emit.text(`${attempt}:${input}:${step} `);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return {};
    },
  }),
];
