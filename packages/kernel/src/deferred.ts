import type { Deferred } from './contract.js';

/** Makes a promise that its owner settles. Settling it again does nothing. */
export function createDeferred<T = void>(): Deferred<T> {
  return new OwnedPromise<T>();
}

/** A class, because one is made for each append: closures would take three times the memory. */
class OwnedPromise<T> implements Deferred<T> {
  readonly promise: Promise<T>;
  pending = true;
  #resolve: ((value: T) => void) | undefined;
  #reject: ((reason: unknown) => void) | undefined;

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  resolve(value: T): void {
    this.pending = false;
    this.#resolve?.(value);
  }

  reject(reason: unknown): void {
    this.pending = false;
    this.#reject?.(reason);
  }
}
