import { createDeferred } from '@runwire/kernel';
import type { Disposer, Scope, ScopeDeps } from './contract.js';
import { ContextError } from './errors.js';

/**
 * Creates a scope without a parent: that of the process, or of a connection. `name` appears in logs, with the
 * names of the scopes above.
 */
export function createScope(deps: ScopeDeps, name: string): Scope {
  return new OwningScope(deps, name, undefined);
}

/** What nobody asked for yet is not there: each connection has a scope, and most own nothing most of the time. */
class OwningScope implements Scope {
  readonly #deps: ScopeDeps;
  readonly #path: string;
  readonly #parent: OwningScope | undefined;
  #abort: AbortController | undefined;
  /** Set when the disposal begins. */
  #closed: ContextError | undefined;
  /** In the order of their making. */
  #children: Set<OwningScope> | undefined;
  #disposers: Map<number, Disposer> | undefined;
  /** Runs of disposers that came when the disposal had begun. */
  #late: Set<Promise<void>> | undefined;
  #registrations = 0;
  #disposal: Promise<void> | undefined;

  constructor(deps: ScopeDeps, path: string, parent: OwningScope | undefined) {
    this.#deps = deps;
    this.#path = path;
    this.#parent = parent;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#closed !== undefined) this.#abort.abort(this.#closed);
    }
    return this.#abort.signal;
  }

  onDispose(dispose: Disposer): () => void {
    if (this.#disposal !== undefined) {
      this.#runLate(dispose);
      return () => undefined;
    }
    this.#registrations += 1;
    const key = this.#registrations;
    this.#disposers ??= new Map();
    this.#disposers.set(key, dispose);
    return () => void this.#disposers?.delete(key);
  }

  child(name: string): Scope {
    const child = new OwningScope(this.#deps, `${this.#path}/${name}`, this);
    if (this.#closed !== undefined) {
      void child.dispose();
      return child;
    }
    this.#children ??= new Set();
    this.#children.add(child);
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
    this.#closed = reason;
    this.#abort?.abort(reason);
    for (const child of this.#children ?? []) child.#abortTree(reason);
  }

  /** Starts with the first disposer in the turn of `dispose`: a socket is torn down at once. */
  async #close(): Promise<void> {
    for (const child of [...(this.#children ?? [])].reverse()) await child.dispose();
    if (this.#disposers !== undefined) await this.#runAll(this.#disposers);
    while (this.#late !== undefined && this.#late.size > 0) await Promise.all(this.#late);
    if (this.#parent !== undefined) this.#parent.#children?.delete(this);
  }

  async #runAll(disposers: Map<number, Disposer>): Promise<void> {
    for (const key of [...disposers.keys()].reverse()) {
      const dispose = disposers.get(key);
      disposers.delete(key);
      // Taken back by a disposer that ran before.
      if (dispose !== undefined) await this.#guarded(dispose);
    }
  }

  #runLate(dispose: Disposer): void {
    const run = this.#guarded(dispose);
    this.#late ??= new Set();
    this.#late.add(run);
    void run.then(() => this.#late?.delete(run));
  }

  async #guarded(dispose: Disposer): Promise<void> {
    try {
      await dispose();
    } catch (err) {
      this.#deps.logger.error({ scope: this.#path, err }, 'A disposer failed; the others run.');
    }
  }
}
