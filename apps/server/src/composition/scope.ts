import 'reflect-metadata';
import { type DependencyContainer, container as globalContainer, type InjectionToken } from 'tsyringe';

/** The name of a dependency together with its type. */
export type Token<T> = InjectionToken<T>;

/** Creates a token. `name` shows in the message when nothing was provided for it. */
export function token<T>(name: string): Token<T> {
  return Symbol(name);
}

/**
 * Typed wiring over a tsyringe container: each dependency is made at most once, by the scope it was provided
 * to. It wires and nothing else: what must be closed is closed by the ordered steps of `shutdown.ts`.
 */
export interface Scope {
  /** Says how `what` is made, on its first use. `NoInfer`: a factory that lacks a member does not compile. */
  provide<T>(what: Token<T>, make: (scope: Scope) => NoInfer<T>): Scope;
  /** @throws when nothing was provided for `what`, naming it */
  get<T>(what: Token<T>): T;
}

/** Creates a scope that shares nothing with any other. The only module that knows tsyringe. */
export function createScope(): Scope {
  return new ContainerScope(globalContainer.createChildContainer());
}

class ContainerScope implements Scope {
  readonly #container: DependencyContainer;

  constructor(container: DependencyContainer) {
    this.#container = container;
  }

  provide<T>(what: Token<T>, make: (scope: Scope) => NoInfer<T>): Scope {
    let made: { readonly value: T } | undefined;
    this.#container.register<T>(what, {
      useFactory: () => {
        made ??= { value: make(this) };
        return made.value;
      },
    });
    return this;
  }

  get<T>(what: Token<T>): T {
    return this.#container.resolve(what);
  }
}
