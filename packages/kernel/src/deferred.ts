import type { Deferred } from './contract.js';

/** Makes a promise that its owner settles. Settling it again does nothing. */
export function createDeferred<T = void>(): Deferred<T> {
  let pending = true;
  let settle: { resolve(value: T): void; reject(reason: unknown): void } | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return {
    promise,
    get pending() {
      return pending;
    },
    resolve(value) {
      pending = false;
      settle?.resolve(value);
    },
    reject(reason) {
      pending = false;
      settle?.reject(reason);
    },
  };
}
