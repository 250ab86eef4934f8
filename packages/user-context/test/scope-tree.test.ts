import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Scope } from '../src/index.js';
import { newScope } from './scopes.js';

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
