import { describe, expect, it } from '@jest/globals';
import { createDeferred } from '@runwire/kernel';
import { flush, newScope } from './scopes.js';

describe('a scope', () => {
  it('[CX-7] runs its disposers last first, each when the one before has settled', async () => {
    const { scope } = newScope();
    const order: string[] = [];
    const gate = createDeferred();
    scope.onDispose(() => void order.push('first'));
    scope.onDispose(async () => {
      order.push('second begins');
      await gate.promise;
      order.push('second ends');
    });
    scope.onDispose(() => void order.push('third'));
    const disposal = scope.dispose();
    await flush();
    expect(order).toEqual(['third', 'second begins']);
    gate.resolve();
    await disposal;
    expect(order).toEqual(['third', 'second begins', 'second ends', 'first']);
  });

  it('runs the first disposer in the turn of the call: a socket is torn down at once', () => {
    const { scope } = newScope();
    const order: string[] = [];
    scope.onDispose(() => void order.push('socket'));
    void scope.dispose();
    expect(order).toEqual(['socket']);
  });

  it('[CX-7] logs a disposer that throws or rejects and runs the others', async () => {
    const { scope, logger } = newScope('connection');
    const order: string[] = [];
    const [thrown, rejected] = [new Error('thrown'), new Error('rejected')];
    scope.onDispose(() => void order.push('first'));
    scope.onDispose(() => {
      throw thrown;
    });
    scope.onDispose(() => Promise.reject(rejected));
    scope.onDispose(() => void order.push('last'));
    await scope.child('request').dispose();
    await expect(scope.dispose()).resolves.toBeUndefined();
    expect(order).toEqual(['last', 'first']);
    expect(logger.lines.map(({ level, fields }) => [level, fields['scope'], fields['err']])).toEqual([
      ['error', 'connection', rejected],
      ['error', 'connection', thrown],
    ]);
  });

  it('[CX-7] joins a second disposal to the first, and runs each disposer once', async () => {
    const { scope } = newScope();
    const gate = createDeferred();
    let runs = 0;
    scope.onDispose(async () => {
      runs += 1;
      await gate.promise;
    });
    const [first, second] = [scope.dispose(), scope[Symbol.asyncDispose]()];
    expect(second).toBe(first);
    gate.resolve();
    await first;
    expect(scope.dispose()).toBe(first);
    await second;
    expect(runs).toBe(1);
  });

  it('[CX-7] may be disposed of again by its own disposer or by a listener of its signal', async () => {
    const { scope } = newScope();
    let runs = 0;
    scope.signal.addEventListener('abort', () => void scope.dispose());
    scope.onDispose(() => {
      runs += 1;
      void scope.dispose();
    });
    await scope.dispose();
    expect(runs).toBe(1);
  });

  it('[CX-7] closes by `await using`, also when its block throws', async () => {
    const order: string[] = [];
    const failing = async () => {
      await using scope = newScope().scope;
      scope.onDispose(() => void order.push('closed'));
      throw new Error('run failed');
    };
    await expect(failing()).rejects.toThrow('run failed');
    expect(order).toEqual(['closed']);
  });

  it('takes a registration back, once, without running it', async () => {
    const { scope } = newScope();
    const order: string[] = [];
    const same = () => void order.push('same');
    const undo = scope.onDispose(same);
    scope.onDispose(same);
    undo();
    undo();
    await scope.dispose();
    expect(order).toEqual(['same']);
    undo();
  });

  it('does not run what an earlier disposer took back', async () => {
    const { scope } = newScope();
    const order: string[] = [];
    const undo = scope.onDispose(() => void order.push('taken back'));
    scope.onDispose(undo);
    await scope.dispose();
    expect(order).toEqual([]);
  });

  it('[CX-7] runs a disposer at once when it is already closed, guarded as the others', async () => {
    const { scope, logger } = newScope();
    await scope.dispose();
    const order: string[] = [];
    const undo = scope.onDispose(() => void order.push('late'));
    expect(order).toEqual(['late']);
    undo();
    expect(() =>
      scope.onDispose(() => {
        throw new Error('late failure');
      }),
    ).not.toThrow();
    await flush();
    expect(logger.lines).toHaveLength(1);
  });

  it('[CX-7] waits for a disposer that came while it was closing', async () => {
    const { scope } = newScope();
    const gate = createDeferred();
    const order: string[] = [];
    scope.onDispose(() => {
      scope.onDispose(async () => {
        order.push('late begins');
        await gate.promise;
        order.push('late ends');
      });
      order.push('disposer ends');
    });
    const disposal = scope.dispose().then(() => order.push('closed'));
    await flush();
    expect(order).toEqual(['late begins', 'disposer ends']);
    gate.resolve();
    await disposal;
    expect(order).toEqual(['late begins', 'disposer ends', 'late ends', 'closed']);
  });

  it('[CX-7] aborts its signal at the start of the disposal, before any disposer', async () => {
    const { scope } = newScope('run');
    const order: string[] = [];
    scope.signal.addEventListener('abort', () => order.push('aborted'));
    scope.onDispose(() => void order.push(`disposer, aborted: ${scope.signal.aborted}`));
    expect(scope.signal.aborted).toBe(false);
    const disposal = scope.dispose();
    expect(order[0]).toBe('aborted');
    expect(scope.signal.reason).toMatchObject({ code: 'SCOPE_CLOSED', message: 'The scope run is closed.' });
    await disposal;
    expect(order).toEqual(['aborted', 'disposer, aborted: true']);
  });
});
