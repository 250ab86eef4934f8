import { EventEmitter, once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { createDeferred } from '@runwire/kernel';
import fc from 'fast-check';
import { createRequestContext, currentContext, runWithContext, UserExecutionContext } from '../src/index.js';
import { ids, validFields } from './identities.js';

describe('currentContext', () => {
  it('[CX-6] is undefined outside of a flow, before, after and beside one', async () => {
    expect(currentContext()).toBeUndefined();
    const gate = createDeferred();
    const flow = runWithContext(createRequestContext(validFields()), async () => {
      await gate.promise;
      return currentContext();
    });
    expect(currentContext()).toBeUndefined();
    gate.resolve();
    expect(await flow).toBeDefined();
    expect(currentContext()).toBeUndefined();
  });

  it('[CX-6] is the context of the flow, without a database or anything else', async () => {
    const context = UserExecutionContext.fromRequest(validFields());
    const seen = await runWithContext(context, async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return currentContext();
    });
    expect(seen).toBe(context);
  });

  it('tells a run by its run id', () => {
    const context = UserExecutionContext.fromRequest(validFields());
    const runId = runWithContext(context, () => {
      const current = currentContext();
      return current !== undefined && 'runId' in current ? current.runId : undefined;
    });
    expect(runId).toBe(context.runId);
  });

  it('[CX-6] property: flows that interleave in any order see each their own', async () => {
    const schedule = fc.array(fc.nat(4), { minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(schedule, async (order) => {
        const flows = Array.from({ length: 5 }, () => steppedFlow(order.length));
        for (const index of order) {
          await flows[index]?.step();
          expect(currentContext()).toBeUndefined();
        }
        for (const flow of flows) expect(await flow.finish()).toEqual({ foreign: 0, own: flow.steps() });
      }),
      { numRuns: 200 },
    );
  });

  it('[CX-6] property: flows of a random scheduler see each their own', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const seen = await scheduler.waitFor(
          Promise.all(
            Array.from({ length: 6 }, () => {
              const context = createRequestContext(validFields());
              return runWithContext(context, async () => {
                const own: boolean[] = [];
                for (let n = 0; n < 5; n += 1) {
                  await scheduler.schedule(Promise.resolve());
                  own.push(currentContext() === context);
                }
                return own;
              });
            }),
          ),
        );
        expect(seen.flat()).toEqual(Array.from({ length: 30 }, () => true));
      }),
    );
  });

  it('[CX-6] belongs to who registers, not to who emits', async () => {
    const emitter = new EventEmitter();
    const [mine, other] = [createRequestContext(validFields()), createRequestContext(validFields())];
    const seen = runWithContext(mine, async () => {
      await once(emitter, 'ping');
      return currentContext();
    });
    runWithContext(other, () => emitter.emit('ping'));
    expect(await seen).toBe(mine);
  });

  it('nests, and gives the outer context back, also after a throw', () => {
    const outer = createRequestContext(validFields());
    const inner = outer.child({ requestId: ids.requestId() });
    runWithContext(outer, () => {
      expect(runWithContext(inner, () => currentContext())).toBe(inner);
      expect(currentContext()).toBe(outer);
      const failing = () => runWithContext(inner, () => JSON.parse('{') as unknown);
      expect(failing).toThrow(SyntaxError);
      expect(currentContext()).toBe(outer);
    });
  });
});

interface Tally {
  foreign: number;
  own: number;
}

/** A flow that goes one step each time it is asked, and counts whose context it saw. */
function steppedFlow(maxSteps: number) {
  const context = createRequestContext(validFields());
  const gates = Array.from({ length: maxSteps }, () => ({
    open: createDeferred<boolean>(),
    passed: createDeferred(),
  }));
  let taken = 0;
  const done = runWithContext(context, async (): Promise<Tally> => {
    const tally: Tally = { foreign: 0, own: 0 };
    for (const { open, passed } of gates) {
      if (!(await open.promise)) break;
      if (currentContext() === context) tally.own += 1;
      else tally.foreign += 1;
      passed.resolve();
    }
    return tally;
  });
  return {
    steps: () => taken,
    async step(): Promise<void> {
      const gate = gates[taken];
      taken += 1;
      gate?.open.resolve(true);
      await gate?.passed.promise;
    },
    finish(): Promise<Tally> {
      for (const { open } of gates) open.resolve(false);
      return done;
    },
  };
}
