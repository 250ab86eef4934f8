import { describe, expect, it } from '@jest/globals';
import { createScope, token } from '../../src/composition/scope.js';

interface Thing {
  readonly name: string;
  readonly size: number;
}

const THING = token<Thing>('thing');
const OTHER = token<{ readonly thing: Thing }>('the other');

describe('a scope', () => {
  it('makes each dependency once, at its first use', () => {
    let made = 0;
    const scope = createScope()
      .provide(THING, () => {
        made += 1;
        return { name: 'one', size: made };
      })
      .provide(OTHER, (s) => ({ thing: s.get(THING) }));
    expect(made).toBe(0);
    expect(scope.get(OTHER).thing).toBe(scope.get(THING));
    expect(scope.get(OTHER)).toBe(scope.get(OTHER));
    expect(made).toBe(1);
  });

  it('makes a dependency that is undefined once too', () => {
    let made = 0;
    const NOTHING = token<undefined>('nothing');
    const scope = createScope().provide(NOTHING, () => {
      made += 1;
      return undefined;
    });
    scope.get(NOTHING);
    scope.get(NOTHING);
    expect(made).toBe(1);
  });

  it('shares nothing with another', () => {
    const make = (name: string): Thing => ({ name, size: 1 });
    const [one, other, empty] = [createScope(), createScope(), createScope()];
    one.provide(THING, () => make('one'));
    other.provide(THING, () => make('other'));
    expect(one.get(THING).name).toBe('one');
    expect(other.get(THING).name).toBe('other');
    expect(() => empty.get(THING)).toThrow('thing');
  });

  it('names what was not provided', () => {
    expect(() => createScope().get(THING)).toThrow(/thing/);
    const scope = createScope().provide(OTHER, (s) => ({ thing: s.get(THING) }));
    expect(() => scope.get(OTHER)).toThrow(/thing/);
  });

  it('makes nothing of a factory that failed, and tries again', () => {
    let attempts = 0;
    const scope = createScope().provide(THING, () => {
      attempts += 1;
      if (attempts === 1) throw new Error('not yet');
      return { name: 'one', size: 1 };
    });
    expect(() => scope.get(THING)).toThrow('not yet');
    expect(scope.get(THING).name).toBe('one');
  });

  it('takes no factory that lacks a member or has the wrong type: neither compiles', () => {
    const scope = createScope();
    // @ts-expect-error `size` is missing
    scope.provide(THING, () => ({ name: 'one' }));
    // @ts-expect-error `size` is a number
    scope.provide(THING, () => ({ name: 'one', size: '1' }));
    // @ts-expect-error a factory makes the thing itself, not a promise of it
    scope.provide(THING, async () => ({ name: 'one', size: 1 }));
    // @ts-expect-error a token gives its own type
    const wrong = (): string => scope.get(THING);
    expect(typeof wrong).toBe('function');
  });
});
