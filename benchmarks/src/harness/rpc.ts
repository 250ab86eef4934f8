import type { ChildProcess } from 'node:child_process';
import { inspect } from 'node:util';

/** What a child process can be asked to do: one argument each, one answer. */
export type Procedures = { readonly [name: string]: (argument: never) => Promise<unknown> };

interface Call {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

type Answer = { readonly id: number } & ({ readonly value: unknown } | { readonly error: string });

/** Lets the parent process call `procedures`. The process ends with its parent. */
export function serveParent(procedures: Procedures): void {
  process.on('message', (call: Call) => {
    const procedure: ((argument: never) => Promise<unknown>) | undefined = procedures[call.name];
    const answered = procedure?.(call.argument as never) ?? Promise.reject(new Error(`no ${call.name}`));
    answered.then(
      (value) => process.send?.({ id: call.id, value }),
      (error: unknown) => process.send?.({ id: call.id, error: errorText(error) }),
    );
  });
  process.on('disconnect', () => process.exit(0));
}

/** The parent's end: calls procedures of `P` in one child process. */
export class Caller<P extends Procedures> {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #calls = 0;
  #end: string | undefined;

  constructor(child: ChildProcess, name: string) {
    this.#child = child;
    child.on('message', (answer: Answer) => this.#take(answer, name));
    child.on('exit', (code, signal) => this.#fail(`${name} ended with ${code ?? signal}`));
    child.on('error', (error) => this.#fail(`${name}: ${error.message}`));
  }

  call<K extends keyof P & string>(
    name: K,
    ...[argument]: Parameters<P[K]>
  ): Promise<Awaited<ReturnType<P[K]>>> {
    if (this.#end !== undefined) return Promise.reject(new Error(this.#end));
    this.#calls += 1;
    const call: Call = { id: this.#calls, name, argument };
    return new Promise((resolve, reject) => {
      // Both ends are compiled from the same P.
      const settle = resolve as (value: unknown) => void;
      this.#waiting.set(call.id, { resolve: settle, reject });
      this.#child.send(call, (error) => error !== null && this.#fail(error.message));
    });
  }

  #take(answer: Answer, name: string): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('error' in answer) waiting?.reject(new Error(`${name}: ${answer.error}`));
    else waiting?.resolve(answer.value);
  }

  #fail(reason: string): void {
    this.#end ??= reason;
    for (const waiting of this.#waiting.values()) waiting.reject(new Error(reason));
    this.#waiting.clear();
  }
}

function errorText(error: unknown): string {
  return inspect(error);
}
