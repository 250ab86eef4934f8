import { createDeferred } from '@runwire/kernel';
import type { Disposer, Scope, ScopeDeps } from './contract.js';
import { ContextError } from './errors.js';

/**
 * Creates a scope without a parent: that of the process, or of a connection. `name` appears in logs, with the
 * names of the scopes above.
 */
export function createScope(deps: ScopeDeps, name: string): Scope {
  return new OwningScope(deps, name, () => undefined);
}

class OwningScope implements Scope {
  readonly #deps: ScopeDeps;
  readonly #path: string;
  readonly #detach: () => void;
  readonly #abort = new AbortController();
  readonly #children = new Map<number, OwningScope>();
  readonly #disposers = new Map<number, Disposer>();
  /** Runs of disposers that came when the disposal had begun. */
  readonly #late = new Set<Promise<void>>();
  #registrations = 0;
  #disposal: Promise<void> | undefined;

  constructor(deps: ScopeDeps, path: string, detach: () => void) {
    this.#deps = deps;
    this.#path = path;
    this.#detach = detach;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  onDispose(dispose: Disposer): () => void {
    if (this.#disposal !== undefined) {
      this.#runLate(dispose);
      return () => undefined;
    }
    const key = this.#nextKey();
    this.#disposers.set(key, dispose);
    return () => void this.#disposers.delete(key);
  }

  child(name: string): Scope {
    const key = this.#nextKey();
    const child = new OwningScope(this.#deps, `${this.#path}/${name}`, () => this.#children.delete(key));
    if (this.#abort.signal.aborted) {
      void child.dispose();
      return child;
    }
    this.#children.set(key, child);
    return child;
  }

  dispose(): Promise<void> {
    if (this.#disposal !== undefined) return this.#disposal;
    const done = createDeferred();
    // Set first: a listener of the signal, or a disposer, may ask again.
    this.#disposal = done.promise;
    this.#abortTree(new ContextError('SCOPE_CLOSED', `The scope ${this.#path} is closed.`));
    void this.#close().then(() => done.resolve());
    return done.promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #abortTree(reason: ContextError): void {
    this.#abort.abort(reason);
    for (const child of this.#children.values()) child.#abortTree(reason);
  }

  /** Starts with the first disposer in the turn of `dispose`: a socket is torn down at once. */
  async #close(): Promise<void> {
    for (const child of [...this.#children.values()].reverse()) await child.dispose();
    for (const key of [...this.#disposers.keys()].reverse()) {
      const dispose = this.#disposers.get(key);
      this.#disposers.delete(key);
      // Taken back by a disposer that ran before.
      if (dispose !== undefined) await this.#guarded(dispose);
    }
    while (this.#late.size > 0) await Promise.all(this.#late);
    this.#detach();
  }

  #nextKey(): number {
    this.#registrations += 1;
    return this.#registrations;
  }

  #runLate(dispose: Disposer): void {
    const run = this.#guarded(dispose);
    this.#late.add(run);
    void run.then(() => this.#late.delete(run));
  }

  async #guarded(dispose: Disposer): Promise<void> {
    try {
      await dispose();
    } catch (err) {
      this.#deps.logger.error({ scope: this.#path, err }, 'A disposer failed; the others run.');
    }
  }
}
