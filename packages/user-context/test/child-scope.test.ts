import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { createDeferred } from '@runwire/kernel';
import type { Scope } from '../src/index.js';
import { flush, newScope } from './scopes.js';

describe('a child scope', () => {
  it('[CX-7] closes before its parent, last first, each wholly before the next', async () => {
    const { scope } = newScope();
    const order: string[] = [];
    scope.onDispose(() => void order.push('parent 1'));
    for (const name of ['a', 'b']) {
      const child = scope.child(name);
      child.onDispose(() => void order.push(`${name} 1`));
      child.onDispose(async () => {
        await Promise.resolve();
        order.push(`${name} 2`);
      });
    }
    scope.onDispose(() => void order.push('parent 2'));
    await scope.dispose();
    expect(order).toEqual(['b 2', 'b 1', 'a 2', 'a 1', 'parent 2', 'parent 1']);
  });

  it('[CX-7] aborts with its parent, at once, also while another child is closing', async () => {
    const { scope } = newScope();
    const gate = createDeferred();
    const [first, last] = [scope.child('first'), scope.child('last')];
    const grandchild = first.child('below');
    last.onDispose(() => gate.promise);
    const disposal = scope.dispose();
    expect([first.signal.aborted, grandchild.signal.aborted, last.signal.aborted]).toEqual([
      true,
      true,
      true,
    ]);
    const order: string[] = [];
    first.onDispose(() => void order.push('still registered'));
    expect(order).toEqual([]);
    gate.resolve();
    await disposal;
    expect(order).toEqual(['still registered']);
  });

  it('[CX-7] closed by itself is detached and leaves its parent and siblings open', async () => {
    const { scope } = newScope();
    const order: string[] = [];
    const [child, sibling] = [scope.child('child'), scope.child('sibling')];
    child.onDispose(() => void order.push('child'));
    await child.dispose();
    expect([scope.signal.aborted, sibling.signal.aborted]).toEqual([false, false]);
    await scope.dispose();
    expect(order).toEqual(['child']);
  });

  it('[CX-7] that is closing by itself is waited for by its parent', async () => {
    const { scope } = newScope();
    const gate = createDeferred();
    const order: string[] = [];
    const child = scope.child('child');
    child.onDispose(async () => {
      await gate.promise;
      order.push('child');
    });
    scope.onDispose(() => void order.push('parent'));
    void child.dispose();
    const disposal = scope.dispose();
    await flush();
    expect(order).toEqual([]);
    gate.resolve();
    await disposal;
    expect(order).toEqual(['child', 'parent']);
  });

  it('of a closed scope is closed', async () => {
    const { scope } = newScope();
    await scope.dispose();
    const child = scope.child('late');
    expect(child.signal.aborted).toBe(true);
    let ran = false;
    child.onDispose(() => {
      ran = true;
    });
    expect(ran).toBe(true);
  });

  it('[CX-7] names its path in the log', async () => {
    const { scope, logger } = newScope('connection');
    scope
      .child('request')
      .child('tool')
      .onDispose(() => Promise.reject(new Error('x')));
    await scope.dispose();
    expect(logger.lines.map(({ fields }) => fields['scope'])).toEqual(['connection/request/tool']);
  });

  it('[CX-7] leaves nothing with its parent when it was closed by itself, 1,000 times', async () => {
    const { scope } = newScope();
    const refs: WeakRef<Scope>[] = [];
    for (let n = 0; n < 1_000; n += 1) refs.push(await shortLife(scope));
    const open = scope.child('open');
    const kept = new WeakRef(scope.child('kept'));
    await collectGarbage();
    expect(refs.filter((ref) => ref.deref() !== undefined)).toEqual([]);
    expect(kept.deref()).toBeDefined();
    await scope.dispose();
    expect(open.signal.aborted).toBe(true);
  });
});

describe('connection, request and run', () => {
  it("[CX-7] a socket drop ends the connection's scope and its requests, and no run", async () => {
    const { scope: processScope } = newScope();
    const order: string[] = [];
    const connection = processScope.child('connection');
    const request = connection.child('request');
    const run = processScope.child('run');
    for (const [name, scope] of Object.entries({ connection, request, run })) {
      scope.onDispose(() => void order.push(name));
    }
    await connection.dispose();
    expect([connection.signal.aborted, request.signal.aborted, run.signal.aborted]).toEqual([
      true,
      true,
      false,
    ]);
    expect(order).toEqual(['request', 'connection']);
    await processScope.dispose();
    expect(order).toEqual(['request', 'connection', 'run']);
  });
});

async function shortLife(scope: Scope): Promise<WeakRef<Scope>> {
  const child = scope.child('request');
  child.onDispose(() => undefined);
  await child.dispose();
  return new WeakRef(child);
}

async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  // A WeakRef holds its target until the end of the turn that made it.
  await new Promise((resolve) => setImmediate(resolve));
  gc();
}
