import { type Clock, createDeferred } from '@runwire/kernel';
import type { SocketHost } from './socket-host.js';

/** The end of a host: shared by every transport. */
export class HostLifecycle {
  readonly #host: SocketHost;
  readonly #closed = createDeferred();
  #drain: Promise<void> | undefined;
  #close: Promise<void> | undefined;

  constructor(host: SocketHost) {
    this.#host = host;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  drain(timeoutMs: number): Promise<void> {
    this.#drain ??= this.#runDrain(timeoutMs);
    return this.#drain;
  }

  close(code = 1001, reason = 'server going away'): Promise<void> {
    this.#close ??= this.#runClose(code, reason);
    return this.#close;
  }

  async #runDrain(timeoutMs: number): Promise<void> {
    this.#host.stopAccepting();
    await Promise.race([this.#host.empty, elapsed(this.#host.deps.clock, timeoutMs, this.#host.empty)]);
    await this.close(1012, 'server restart');
  }

  async #runClose(code: number, reason: string): Promise<void> {
    this.#host.stopAccepting();
    this.#host.closeAll(code, reason);
    await this.#host.empty;
    this.#host.commandLimits.close();
    this.#closed.resolve();
  }
}

/** Settles after `delayMs`, or with `until`, and leaves no timer behind. */
async function elapsed(clock: Clock, delayMs: number, until: Promise<void>): Promise<void> {
  const timer = createDeferred();
  const handle = clock.setTimer(delayMs, () => timer.resolve());
  await Promise.race([timer.promise, until]);
  handle.cancel();
}
