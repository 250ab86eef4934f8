import { createUserLedger, type LedgerSnapshot } from '@runwire/event-log';
import type { EventId } from '@runwire/id-generation';
import { createDeferred, type Deferred } from '@runwire/kernel';
import type { RecordBuffer } from './record-buffer.js';
import { RECORD_KIND } from './record-format.js';
import type { StreamState } from './state-record.js';
import type { UserLog } from './user-log.js';
import type { WriteItem, Written } from './write-item.js';

/** What state records need of their log. */
export interface StateContext {
  readonly monotonicMs: () => number;
  /** The id of an event from `first - 1` on. */
  readonly idAt: (user: UserLog, seq: number) => EventId | undefined;
}

/** A change of a user's stream that is no append: what the state will be, and how it takes effect. */
export interface StateChange {
  /** The state after the change; undefined when there is nothing to change. */
  next(state: StreamState, user: UserLog): StreamState | undefined;
  /** The next state is on the disk. Does not throw. */
  apply(user: UserLog): void;
}

/** Says again what is known, so that older records of it may go. */
export const RESTATEMENT: StateChange = Object.freeze({
  next: (state: StreamState) => state,
  apply: () => undefined,
});

/** A change of a user's stream on its way to the disk. Settles to whether there was anything to change. */
export class StateItem implements WriteItem {
  readonly user: UserLog;
  readonly count = 0;
  offsetInGroup = 0;
  earlierInGroup = -1;
  readonly #change: StateChange;
  readonly #context: StateContext;
  readonly #done: Deferred<boolean> = createDeferred();
  #length = 0;
  #first = 0;

  constructor(user: UserLog, change: StateChange, context: StateContext) {
    this.user = user;
    this.#change = change;
    this.#context = context;
  }

  get done(): Promise<boolean> {
    return this.#done.promise;
  }

  waitsFor(): boolean {
    return true;
  }

  encode(target: RecordBuffer, at: number): number {
    const { user } = this;
    const next = this.#change.next(this.#present(), user);
    if (next === undefined) {
      this.#done.resolve(false);
      return 0;
    }
    this.#first = next.first;
    const title = {
      kind: RECORD_KIND.state,
      flags: 0,
      userId: user.userId,
      producer: undefined,
      firstSeq: user.head,
      count: 0,
      at,
    };
    this.#length = target.add(title, [JSON.stringify(next)]);
    return this.#length;
  }

  written({ segment, offset }: Written): void {
    const { user } = this;
    user.setState({ segment, offset, length: this.#length, first: this.#first });
    this.#change.apply(user);
    this.#done.resolve(true);
  }

  failed(error: unknown): void {
    this.#done.reject(error);
  }

  #present(): StreamState {
    const { user } = this;
    const baseId = user.first === 1 ? undefined : this.#context.idAt(user, user.first - 1);
    const ledger: LedgerSnapshot = (user.knownLedger ?? createUserLedger()).snapshot(
      this.#context.monotonicMs(),
    );
    const erasures = Array.from(user.erasures, ([threadId, through]) => ({ threadId, through }));
    return { first: user.first, baseId: baseId ?? null, erasures, ledger };
  }
}
