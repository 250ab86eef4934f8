import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { createDeferred } from '@runwire/kernel';
import { createRecordingLogger } from '@runwire/kernel/testing';
import fc from 'fast-check';
import { createScope, type Scope } from '../src/index.js';

function newScope(name = 'process') {
  const logger = createRecordingLogger();
  return { scope: createScope({ logger }, name), logger };
}

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

/** A tree of scopes with disposers, built and closed step by step; `order` is what ran. */
type Step =
  | { readonly kind: 'register'; readonly at: number }
  | { readonly kind: 'child'; readonly at: number }
  | { readonly kind: 'close'; readonly at: number };

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('register' as const, 'register' as const, 'child' as const, 'close' as const),
  at: fc.nat(9),
});

interface Node {
  readonly scope: Scope;
  readonly parent: Node | undefined;
  readonly children: Node[];
  readonly labels: string[];
  closed: boolean;
}

/** What closing `node` must run, by the definition: children last first, then disposers last first. */
function expectedOf(node: Node): string[] {
  if (node.closed) return [];
  const below = [...node.children].reverse().flatMap(expectedOf);
  node.closed = true;
  return [...below, ...node.labels.reverse()];
}

describe('any tree of scopes', () => {
  it('[CX-7] property: every disposer runs once, children before parents, last first', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.infiniteStream(fc.nat(2)),
        async (steps, manners) => {
          const root: Node = {
            scope: newScope().scope,
            parent: undefined,
            children: [],
            labels: [],
            closed: false,
          };
          const nodes = [root];
          const ran: string[] = [];
          const expected: string[] = [];
          let label = 0;
          for (const { kind, at } of steps) {
            const open = nodes.filter(({ closed }) => !closed);
            const node = open[at % open.length];
            if (node === undefined) break;
            if (kind === 'register') {
              label += 1;
              const name = `${label}`;
              node.labels.push(name);
              node.scope.onDispose(disposer(manners.next().value ?? 0, () => ran.push(name)));
            } else if (kind === 'child') {
              const child: Node = {
                scope: node.scope.child('c'),
                parent: node,
                children: [],
                labels: [],
                closed: false,
              };
              node.children.push(child);
              nodes.push(child);
            } else if (node !== root) {
              expected.push(...expectedOf(node));
              await node.scope.dispose();
            }
          }
          expected.push(...expectedOf(root));
          await root.scope.dispose();
          expect(ran).toEqual(expected);
          expect(nodes.every(({ scope }) => scope.signal.aborted)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** A disposer that ends well, throws, or rejects. */
function disposer(manner: number, run: () => void): () => void | Promise<void> {
  if (manner === 0) return run;
  if (manner === 1) {
    return () => {
      run();
      throw new Error('thrown');
    };
  }
  return async () => {
    await Promise.resolve();
    run();
    throw new Error('rejected');
  };
}

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

async function flush(): Promise<void> {
  for (let hop = 0; hop < 20; hop += 1) await Promise.resolve();
}
