import type { UserId } from '@runwire/id-generation';
import { type Cursor, type ResetReason, type RunwireEvent, TERMINAL_EVENT_TYPE } from '@runwire/protocol';
import type { Ledger } from './ledger.js';
import type { Verdicts } from './verdicts.js';

/** What the audit of one page is made of. */
export interface DeliveryAuditDeps {
  readonly verdicts: Verdicts;
  readonly ledger: Ledger;
  readonly userId: UserId;
  /** Of the page, for messages. */
  readonly name: string;
  /** Why a cursor may not be honoured, after what has happened so far. */
  readonly excuses: ReadonlySet<ResetReason>;
}

/**
 * Looks at every call of an application's handler: each event once, in order, without a hole, the user's own, and
 * one that the log had acknowledged before.
 */
export class DeliveryAudit {
  readonly #deps: DeliveryAuditDeps;
  #position: Cursor | undefined;
  readonly #ended = new Set<string>();

  constructor(deps: DeliveryAuditDeps, start: Cursor | undefined) {
    this.#deps = deps;
    this.#position = start;
  }

  /** The last event handled, or where handling begins. */
  get position(): Cursor | undefined {
    return this.#position;
  }

  /** Where the stream begins for this page; known with its first connection. */
  begin(cursor: Cursor): void {
    this.#position ??= cursor;
  }

  /** The page was told that it goes on from elsewhere. */
  reset(cursor: Cursor, reason: ResetReason): void {
    const { name, excuses } = this.#deps;
    if (!excuses.has(reason))
      this.#violated('reset', `${name} was reset (${reason}) without a reason for it`);
    this.#position = cursor;
    this.#ended.clear();
  }

  /** The handler was called. */
  handled(event: RunwireEvent): void {
    const { name, userId, ledger } = this.#deps;
    const at = this.#position;
    if (at === undefined) {
      this.#violated('order', `${name} got event ${event.seq} before it was told where the stream begins`);
      return;
    }
    const from = event.from ?? event.seq;
    if (event.seq <= at.seq) this.#violated('duplicate', `${name} got event ${event.seq} again at ${at.seq}`);
    else if (from > at.seq + 1) this.#violated('gap', `${name} got event ${from} at ${at.seq}`);
    this.#position = { epoch: at.epoch, seq: event.seq, id: event.id };
    for (const id of [event.threadId, event.runId]) {
      const owner = id === undefined ? undefined : ledger.ownerOf(id);
      if (owner !== undefined && owner !== userId)
        this.#violated('foreign', `${name} got an event of ${owner}`);
    }
    if (!ledger.has(userId, at.epoch, event)) {
      this.#violated(
        'unlogged',
        `${name} got event ${event.seq} (${event.type}), which the log had not acknowledged`,
      );
    }
    this.#countEnd(event);
  }

  #countEnd(event: RunwireEvent): void {
    if (event.type !== TERMINAL_EVENT_TYPE || event.runId === undefined) return;
    const { name } = this.#deps;
    if (this.#ended.has(event.runId))
      this.#violated('terminal', `${name} was told twice that ${event.runId} ended`);
    this.#ended.add(event.runId);
  }

  #violated(invariant: string, message: string): void {
    this.#deps.verdicts.violated(invariant, message);
  }
}
