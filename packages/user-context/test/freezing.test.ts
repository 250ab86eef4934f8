import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createRequestContext, type RequestContext, UserExecutionContext } from '../src/index.js';
import { ids, validFields } from './identities.js';

const json = fc.dictionary(fc.stringMatching(/^k[a-z]{0,4}$/), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 6 });

/** Every object within `value`, itself included. */
function objectsIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(objectsIn)];
}

/** Tries to change, add and delete in each object; true if anything succeeded. */
function anyMutation(value: unknown): boolean {
  return objectsIn(value).some((object) => {
    const keys = [...Reflect.ownKeys(object), 'added'];
    const changed = keys.map(
      (key) =>
        Reflect.set(object, key, 'mutated') ||
        (Reflect.deleteProperty(object, key) && Object.hasOwn(object, key)),
    );
    const redefined = Reflect.defineProperty(object, 'userId', { value: 'mutated' });
    return redefined || changed.includes(true) || Reflect.setPrototypeOf(object, null);
  });
}

function contexts(metadata: Record<string, unknown>): RequestContext[] {
  const fields = { ...validFields(), metadata };
  const request = createRequestContext(fields);
  const run = UserExecutionContext.fromRequest(fields);
  return [
    request,
    request.child({ requestId: ids.requestId() }),
    request.forRun(fields),
    run,
    run.forRun(fields),
    run.child('step', { requestId: ids.requestId() }),
    run.child({ requestId: ids.requestId() }),
  ];
}

describe('a context', () => {
  it('[CX-3] property: cannot be changed, at no depth', () => {
    fc.assert(
      fc.property(json, (metadata) => {
        for (const context of contexts(metadata)) {
          const before = JSON.stringify(context);
          expect(anyMutation(context)).toBe(false);
          expect(JSON.stringify(context)).toBe(before);
        }
      }),
    );
  });

  it('[CX-3] property: is not changed by a change of what it was made from', () => {
    fc.assert(
      fc.property(json, (metadata) => {
        const fields = { ...validFields(), metadata: structuredClone(metadata) as Record<string, unknown> };
        const made = [createRequestContext(fields), UserExecutionContext.fromRequest(fields)];
        const before = made.map((context) => JSON.stringify(context));
        for (const object of objectsIn(fields)) {
          for (const key of Object.keys(object)) Reflect.set(object, key, 'mutated');
          Reflect.set(object, 'added', 'mutated');
        }
        expect(made.map((context) => JSON.stringify(context))).toEqual(before);
      }),
    );
  });

  it('[CX-3] leaves what it was made from unfrozen', () => {
    const fields = validFields();
    UserExecutionContext.fromRequest(fields);
    expect(objectsIn(fields).filter((object) => Object.isFrozen(object))).toEqual([]);
  });

  it('[CX-3] cannot be given other methods through its prototype, its maker or the factory', () => {
    for (const context of contexts({})) {
      const prototype: object = Object.getPrototypeOf(context);
      expect(Object.isFrozen(prototype)).toBe(true);
      expect(Object.isFrozen(context.constructor)).toBe(true);
    }
    expect(Object.isFrozen(UserExecutionContext)).toBe(true);
  });

  it('[CX-3] throws at whoever assigns to it', () => {
    const context = UserExecutionContext.fromRequest(validFields());
    expect(() => Object.assign(context, { userId: ids.userId() })).toThrow(TypeError);
    expect(() => Object.assign(context.metadata ?? {}, { locale: 'en' })).toThrow(TypeError);
  });

  it('is counted by its name in a heap snapshot', () => {
    const run = UserExecutionContext.fromRequest(validFields());
    expect(run.constructor.name).toBe('UserExecutionContext');
    expect(createRequestContext(validFields()).constructor.name).toBe('RequestContext');
  });
});
