import type { Prng } from '../prng.js';
import type { Actor, Scheduler } from '../scheduler.js';
import type { Device } from './device.js';
import type { Caller } from './network.js';

/** What requests are made of. */
export interface RequestsDeps {
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly kernel: Actor;
}

/** A request under way. */
interface OpenRequest {
  readonly device: Device;
  node: Actor | undefined;
  fail(message: string): void;
}

/** A page gives up an answer that does not come. */
const TIMEOUT_MS = 15_000;

/** HTTP between pages and servers: whole messages, one way and back, that a dead network or process swallows. */
export class Requests {
  readonly #deps: RequestsDeps;
  readonly #open = new Set<OpenRequest>();

  constructor(deps: RequestsDeps) {
    this.#deps = deps;
  }

  /**
   * Asks a server from a page of `device`. `serve` finds who answers, undefined when nobody listens. Rejects as
   * `fetch` does when no answer comes; settles within 15 s.
   */
  ask<T>(
    from: Caller,
    serve: () => { readonly node: Actor; readonly answer: () => Promise<T> } | undefined,
  ): Promise<T> {
    const { scheduler, kernel } = this.#deps;
    const { device, page } = from;
    return new Promise((resolve, reject) => {
      const request: OpenRequest = {
        device,
        node: undefined,
        fail: (message) => settle(() => reject(new TypeError(message))),
      };
      const settle = (how: () => void): void => {
        if (this.#open.delete(request)) scheduler.schedule(page, this.#latencyMs(device), 'http answer', how);
      };
      this.#open.add(request);
      scheduler.schedule(page, TIMEOUT_MS, 'http timeout', () => request.fail('fetch timed out'));
      scheduler.schedule(kernel, this.#latencyMs(device), 'http request', () => {
        if (device.reach === 'away') return;
        const server = device.reach === 'up' ? serve() : undefined;
        if (server === undefined) {
          request.fail('fetch failed');
          return;
        }
        request.node = server.node;
        scheduler.schedule(server.node, 0, 'http serve', () => {
          server.answer().then(
            (value) => {
              if (device.reach === 'up') settle(() => resolve(value));
            },
            (cause: unknown) => request.fail(`the server failed: ${String(cause)}`),
          );
        });
      });
    });
  }

  /** Whoever this process was answering is told. */
  nodeDied(node: Actor): void {
    for (const request of this.#open) if (request.node === node) request.fail('the connection was reset');
  }

  /** Whoever waits for an answer that was swallowed is told. */
  heal(): void {
    for (const request of this.#open) request.fail('the connection was reset');
  }

  #latencyMs({ conditions }: Device): number {
    return conditions.latencyMs + this.#deps.prng.next() * conditions.jitterMs;
  }
}
