import { describe, expect, it } from '@jest/globals';
import { generatePlan } from '../src/generate.js';
import type { Plan } from '../src/plan.js';
import { shrinkPlan } from '../src/shrink.js';

describe('an invented plan', () => {
  it('is the same for the same seed', () => {
    expect(generatePlan('42')).toEqual(generatePlan('42'));
  });

  it('is another for another seed', () => {
    expect(generatePlan('42').actions).not.toEqual(generatePlan('43').actions);
  });

  it('survives being written down', () => {
    const plan = generatePlan('42');
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  it('has its actions in the order of their instants, on tabs that there are', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const { actions, world } = generatePlan(String(seed));
      const instants = actions.map(({ atMs }) => atMs);
      expect(instants).toEqual([...instants].sort((a, b) => a - b));
      const names = world.tabs.map(({ name }) => name);
      for (const action of actions) if ('tab' in action) expect(names).toContain(action.tab);
    }
  });

  it('keeps the limits that hold between limits', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const { limits } = generatePlan(String(seed)).world;
      expect(limits.socketBufferHighBytes).toBeGreaterThanOrEqual(limits.socketBufferLowBytes);
      expect(limits.silenceTimeoutMs).toBeGreaterThanOrEqual(1.4 * limits.heartbeatIntervalMs);
      expect(limits.idleTimeoutMs).toBeGreaterThan(limits.toolTimeoutMs);
    }
  });
});

describe('shrinking', () => {
  const large = generatePlan('42');
  const count = (plan: Plan, kind: string) => plan.actions.filter((action) => action.kind === kind).length;

  it('leaves only what the failure needs', async () => {
    const plan = { ...large, actions: [...large.actions, ...generatePlan('50').actions] };
    const needed = plan.actions.find(({ kind }) => kind === 'send');
    const { plan: small } = await shrinkPlan(
      plan,
      async ({ actions }) => count({ ...plan, actions }, 'send') > 0,
      500,
    );
    expect(needed).toBeDefined();
    expect(small.actions.map(({ kind }) => kind)).toEqual(['send']);
    expect(small.world.tabs).toHaveLength(1);
    expect(small.world.nodes).toBe(1);
  });

  it('empties the scripts whose steps the failure does not need', async () => {
    const { plan } = await shrinkPlan(large, async (candidate) => count(candidate, 'send') > 0, 500);
    const [send] = plan.actions;
    expect(send?.kind === 'send' && send.script.steps).toEqual([]);
  });

  it('gives the plan back when nothing smaller fails', async () => {
    const { plan } = await shrinkPlan(large, async () => false, 500);
    expect(plan).toBe(large);
  });

  it('ends after as many tries as it is given', async () => {
    let tries = 0;
    await shrinkPlan(
      large,
      async () => {
        tries += 1;
        return false;
      },
      7,
    );
    expect(tries).toBe(7);
  });
});
