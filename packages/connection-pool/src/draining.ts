import { type Clock, createDeferred, type Deferred } from '@runwire/kernel';
import { createServerMessage } from '@runwire/protocol';
import type { ClientConnection } from '@runwire/websocket-core';
import { inBatches } from './batches.js';
import type { Members } from './members.js';

/** What draining needs of its pool. */
export interface DrainingDeps {
  readonly clock: Clock;
  readonly members: Members;
  readonly perTurn: number;
}

/** Gets connections out of a pool: first asks, then closes. */
export class Draining {
  readonly #deps: DrainingDeps;
  /** Set while somebody waits for the last member to leave. */
  #emptied: Deferred<void> | undefined;
  #deadlineAtMs: number | undefined;

  constructor(deps: DrainingDeps) {
    this.#deps = deps;
  }

  /** A connection came in on a place it had before: it is asked to go at once. */
  noteJoined(connection: ClientConnection): void {
    if (this.#deadlineAtMs !== undefined) askToLeave(connection, 0, this.#deadlineAtMs);
  }

  /** A member has left. */
  noteLeft(): void {
    if (this.#deps.members.size === 0) this.#emptied?.resolve();
  }

  /** Asks every connection to go elsewhere, spread over the window, and waits until all have gone. */
  async ask(window: { readonly windowMs: number; readonly timeoutMs: number }): Promise<void> {
    const { clock, members, perTurn } = this.#deps;
    if (members.size === 0) return;
    const emptied = createDeferred();
    this.#emptied = emptied;
    // Set before the first word: the time counts from here, however long the telling takes.
    const timer = clock.setTimer(window.timeoutMs, () => emptied.resolve());
    const deadlineAtMs = clock.nowMs() + window.timeoutMs;
    this.#deadlineAtMs = deadlineAtMs;
    const items = members.all();
    const stepMs = Math.min(window.windowMs, window.timeoutMs) / items.length;
    await inBatches(clock, { items, perTurn }, ({ connection }, index) => {
      askToLeave(connection, Math.floor(index * stepMs), deadlineAtMs);
    });
    await emptied.promise;
    timer.cancel();
    this.#emptied = undefined;
  }

  /** Closes whoever is left. */
  closeAll(code: number, reason: string): Promise<void> {
    const { clock, members, perTurn } = this.#deps;
    return inBatches(clock, { items: members.all(), perTurn }, ({ connection }) => {
      connection.close(code, reason);
    });
  }
}

function askToLeave(connection: ClientConnection, reconnectAfterMs: number, deadlineAtMs: number): void {
  connection.send(createServerMessage('server_draining', { reconnectAfterMs, deadlineAtMs }));
}
