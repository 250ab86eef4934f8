import type { Clock, TimerHandle } from '@runwire/kernel';
import type { Cursor, RunwireEvent } from '@runwire/protocol/wire';
import type { ThreadView } from './contract.js';
import { DEFAULT_DELAYS, fullJitter } from './reconnect.js';

/** A thread being shown by the snapshot rule (protocol §6). */
export interface OpenThread {
  /** An event was applied. */
  offer(event: RunwireEvent): void;
  /**
   * A connection was established. `covers` tells whether a snapshot asked for before is part of the stream that
   * goes on, and everything behind it is, or was, delivered.
   */
  connected(covers: CoverRule): void;
  /** The stream was reset: what is shown is worth nothing. */
  reload(): void;
  close(): void;
}

/** Judges the position of a snapshot. */
export type CoverRule = (snapshot: Cursor) => boolean;

/** What an open thread needs of its client. */
export interface OpenThreadDeps {
  readonly clock: Clock;
  readonly random: () => number;
  /** The position up to which events were offered. */
  readonly cursor: () => Cursor | undefined;
  readonly maxHeldEvents: number;
  /** A callback of the view threw. */
  readonly failed: (cause: unknown) => void;
}

/** Starts loading at once. */
export function openThreadView<S extends { readonly cursor: Cursor }>(
  deps: OpenThreadDeps,
  view: ThreadView<S>,
): OpenThread {
  const thread = new SnapshotView(deps, view);
  thread.reload();
  return thread;
}

/** One load under way; another load makes it stale. */
interface Loading {
  readonly kind: 'loading';
  /** The position the snapshot must not be behind. */
  from: Cursor | undefined;
  /** Of the last connection since it was asked for; what is asked for on a connection is of its stream. */
  covers: CoverRule;
  /** Undefined: too many came. */
  held: RunwireEvent[] | undefined;
}

type ViewState =
  | Loading
  | { readonly kind: 'live'; readonly cursor: Cursor }
  /** For the next load, or a reset when `onLoadError` said to stop. */
  | { readonly kind: 'waiting' | 'closed' };

class SnapshotView<S extends { readonly cursor: Cursor }> implements OpenThread {
  readonly #deps: OpenThreadDeps;
  readonly #view: ThreadView<S>;
  #state: ViewState = { kind: 'waiting' };
  #timer: TimerHandle | undefined;
  #failures = 0;

  constructor(deps: OpenThreadDeps, view: ThreadView<S>) {
    this.#deps = deps;
    this.#view = view;
  }

  offer(event: RunwireEvent): void {
    if (event.type === 'erased' || event.threadId !== this.#view.threadId) return;
    const state = this.#state;
    if (state.kind === 'live' && event.seq > state.cursor.seq) this.#update(event);
    if (state.kind !== 'loading' || state.held === undefined) return;
    if (state.held.length < this.#deps.maxHeldEvents) state.held.push(event);
    else state.held = undefined;
  }

  connected(covers: CoverRule): void {
    const state = this.#state;
    if (state.kind === 'loading') {
      state.from ??= this.#deps.cursor();
      state.covers = covers;
    } else if (state.kind === 'live' && !covers(state.cursor)) this.#load();
  }

  reload(): void {
    if (this.#state.kind === 'closed') return;
    this.#timer?.cancel();
    this.#failures = 0;
    this.#load();
  }

  close(): void {
    this.#timer?.cancel();
    this.#state = { kind: 'closed' };
  }

  #load(): void {
    const loading: Loading = {
      kind: 'loading',
      from: this.#deps.cursor(),
      covers: () => true,
      held: [],
    };
    this.#state = loading;
    void this.#settle(loading);
  }

  async #settle(loading: Loading): Promise<void> {
    try {
      const snapshot = await this.#view.load();
      if (this.#state === loading) this.#loaded(loading, snapshot);
    } catch (error) {
      if (this.#state === loading) this.#loadFailed(error);
    }
  }

  #loaded(loading: Loading, snapshot: S): void {
    const { held } = loading;
    if (held === undefined || !loading.covers(snapshot.cursor)) {
      this.#load();
      return;
    }
    const { cursor } = snapshot;
    const { epoch, seq } = loading.from ?? cursor;
    // Of another epoch the stream has not told yet: it is shown, but what is held does not follow it.
    const follows = cursor.epoch === epoch;
    // A replica that lags: events between the two are neither in the snapshot nor held.
    const lags = follows && cursor.seq < seq;
    const shown = !lags && this.#guard(() => this.#view.onSnapshot(snapshot));
    if (this.#state !== loading) return;
    if (!shown || !follows) {
      this.#retry();
      return;
    }
    const live = { kind: 'live', cursor } as const;
    this.#state = live;
    for (const event of held) {
      // Any callback may close the view.
      if (this.#state === live) this.offer(event);
    }
  }

  /** A view that threw shows nobody knows what: it is made again of a snapshot. */
  #update(event: RunwireEvent): void {
    const state = this.#state;
    if (this.#guard(() => this.#view.onEvent(event))) this.#failures = 0;
    else if (this.#state === state) this.#retry();
  }

  #loadFailed(error: unknown): void {
    let goOn = true;
    this.#guard(() => {
      goOn = this.#view.onLoadError?.(error) !== false;
    });
    if (this.#state.kind !== 'loading') return;
    if (goOn) this.#retry();
    else this.#state = { kind: 'waiting' };
  }

  #retry(): void {
    const delayMs = fullJitter(this.#failures, DEFAULT_DELAYS, this.#deps.random);
    this.#failures += 1;
    this.#state = { kind: 'waiting' };
    this.#timer = this.#deps.clock.setTimer(delayMs, () => this.#load());
  }

  /** False if the view threw. */
  #guard(call: () => void): boolean {
    try {
      call();
      return true;
    } catch (cause) {
      this.#deps.failed(cause);
      return false;
    }
  }
}
