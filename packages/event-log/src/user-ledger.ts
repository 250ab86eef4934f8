import type { RunId, ThreadId } from '@runwire/id-generation';
import { type EventDraft, TERMINAL_EVENT_TYPE } from '@runwire/protocol';
import { type AppendPlace, AppendResults } from './append-results.js';
import type { AppendResult, Producer } from './contract.js';
import { EventLogError } from './errors.js';
import {
  advanceProducer,
  concludeProducer,
  decideProducer,
  type ProducerDecision,
  type ProducerState,
} from './producer-state.js';
import { Remembered, type Touch } from './remembered.js';

/** An open run of one user. */
export interface LedgerRun {
  readonly runId: RunId;
  readonly threadId: ThreadId;
  readonly attempt: number;
  /** `seq` of its `agent_started`. */
  readonly startedSeq: number;
}

/** An append that a log has accepted. */
export interface AcceptedAppend {
  readonly drafts: readonly EventDraft[];
  readonly producer: Producer | undefined;
  readonly result: AppendResult;
}

/** A producer as a ledger remembers it; `ageMs` is how long ago it appended last. */
export interface LedgerProducer {
  readonly id: string;
  readonly attempt: number;
  readonly n: number;
  /** Of its last appends, ending with that of `n`. */
  readonly results: readonly AppendPlace[];
  readonly lastSeq: number;
  readonly ageMs: number;
}

/** All that a ledger remembers, as plain values: what a log on a disk keeps of events that it no longer has. */
export interface LedgerSnapshot {
  readonly producers: readonly LedgerProducer[];
  readonly open: readonly LedgerRun[];
  readonly ended: readonly { readonly runId: string; readonly lastSeq: number; readonly ageMs: number }[];
}

/**
 * What one user's stream must remember besides its events: producers, open runs, ended runs. Pure: time comes
 * in as an argument (monotonic milliseconds).
 */
export interface UserLedger {
  /** True when nothing is remembered. */
  readonly isEmpty: boolean;
  readonly openRuns: Iterable<LedgerRun>;
  /**
   * Checks an append, changing nothing. Returns the first result of a repeat, undefined for an append to make.
   *
   * @throws EventLogError `FENCED`, `PRODUCER_GAP`, `RUN_ENDED`
   */
  admit(drafts: readonly EventDraft[], producer: Producer | undefined): AppendResult | undefined;
  /** Takes note of an append that was admitted and made. */
  record(append: AcceptedAppend, nowMs: number): void;
  /** Ends the open runs of an erased thread. */
  endRunsOf(threadId: ThreadId, touch: Touch): void;
  /** What is remembered, the longest unused first. */
  snapshot(nowMs: number): LedgerSnapshot;
  /** Forgets what was last used 24 hours ago or more, unless an event at `firstSeq` or above is its last. */
  forget(firstSeq: number, nowMs: number): void;
}

/** Creates an empty ledger. */
export function createUserLedger(): UserLedger {
  return new Ledger();
}

/** Creates a ledger that remembers what another did when its snapshot was taken, `nowMs` in this clock's time. */
export function restoreUserLedger(
  snapshot: LedgerSnapshot,
  stream: { readonly epoch: string; readonly nowMs: number },
): UserLedger {
  return new Ledger(snapshot, stream);
}

class Ledger implements UserLedger {
  readonly #producers = new Remembered<string, ProducerState>();
  readonly #ended = new Remembered<string, true>();
  #open: Map<string, LedgerRun> | undefined;

  constructor(snapshot?: LedgerSnapshot, stream = { epoch: '', nowMs: 0 }) {
    if (snapshot === undefined) return;
    const { epoch, nowMs } = stream;
    for (const { id, attempt, n, results, lastSeq, ageMs } of snapshot.producers) {
      const known = new AppendResults(epoch, results);
      this.#producers.set(id, { attempt, n, results: known }, { lastSeq, nowMs: nowMs - ageMs });
    }
    for (const { runId, lastSeq, ageMs } of snapshot.ended) {
      this.#ended.set(runId, true, { lastSeq, nowMs: nowMs - ageMs });
    }
    if (snapshot.open.length > 0) this.#open = new Map(snapshot.open.map((run) => [run.runId, run]));
  }

  get isEmpty(): boolean {
    return (this.#open?.size ?? 0) + this.#ended.size + this.#producers.size === 0;
  }

  get openRuns(): Iterable<LedgerRun> {
    return this.#open?.values() ?? [];
  }

  admit(drafts: readonly EventDraft[], producer: Producer | undefined): AppendResult | undefined {
    if (producer !== undefined) {
      const decision = decideProducer(this.#producers.get(producer.id), producer);
      if (decision.kind === 'duplicate') return decision.result;
      if (decision.kind !== 'append') throw refusal(decision, producer);
    }
    this.#requireOpen(drafts);
    return undefined;
  }

  record({ drafts, producer, result }: AcceptedAppend, nowMs: number): void {
    const touch = { lastSeq: result.lastSeq, nowMs };
    let state: ProducerState | undefined;
    if (producer !== undefined) {
      state = advanceProducer(this.#producers.get(producer.id), producer, result);
      this.#producers.set(producer.id, state, touch);
    }
    let seq = result.firstSeq;
    for (const draft of drafts) {
      // As with producers: what the log has accepted is of a run whose end it had forgotten.
      if (draft.runId !== undefined && this.#ended.size > 0) this.#ended.delete(draft.runId);
      if (draft.type === 'agent_started') this.#start(draft, seq, producer);
      else if (draft.type === TERMINAL_EVENT_TYPE && draft.runId !== undefined) {
        this.#open?.delete(draft.runId);
        this.#ended.set(draft.runId, true, touch);
        if (state !== undefined && producer?.id === draft.runId) concludeProducer(state);
      }
      seq += 1;
    }
  }

  endRunsOf(threadId: ThreadId, touch: Touch): void {
    for (const run of this.openRuns) {
      if (run.threadId !== threadId) continue;
      this.#open?.delete(run.runId);
      this.#ended.set(run.runId, true, touch);
    }
  }

  snapshot(nowMs: number): LedgerSnapshot {
    return {
      producers: Array.from(this.#producers.entries(), ([id, { attempt, n, results }, touch]) => ({
        id,
        attempt,
        n,
        results: results.places(),
        lastSeq: touch.lastSeq,
        ageMs: nowMs - touch.nowMs,
      })),
      open: [...this.openRuns],
      ended: Array.from(this.#ended.entries(), ([runId, , touch]) => ({
        runId,
        lastSeq: touch.lastSeq,
        ageMs: nowMs - touch.nowMs,
      })),
    };
  }

  forget(firstSeq: number, nowMs: number): void {
    this.#producers.forget(firstSeq, nowMs);
    this.#ended.forget(firstSeq, nowMs);
  }

  #requireOpen(drafts: readonly EventDraft[]): void {
    let endedHere: Set<string> | undefined;
    for (const { type, runId } of drafts) {
      if (runId === undefined) continue;
      if (this.#ended.has(runId) || endedHere?.has(runId) === true) {
        throw new EventLogError(
          'RUN_ENDED',
          `The run ${runId} has its terminal event; ${type} comes after it.`,
          {
            details: { runId, type },
          },
        );
      }
      if (type === TERMINAL_EVENT_TYPE) endedHere = (endedHere ?? new Set()).add(runId);
    }
  }

  #start(draft: EventDraft<'agent_started'>, seq: number, producer: Producer | undefined): void {
    const { runId, threadId } = draft;
    if (runId === undefined || threadId === undefined) return;
    this.#open ??= new Map();
    const known = this.#open.get(runId);
    const fenced = producer?.id === runId ? producer.attempt : 0;
    this.#open.set(runId, {
      // Branded by whoever made the run; the wire's type is a plain string.
      runId: runId as RunId,
      threadId: threadId as ThreadId,
      attempt: Math.max(known?.attempt ?? 0, draft.data.attempt, fenced),
      startedSeq: known?.startedSeq ?? seq,
    });
  }
}

function refusal(decision: Exclude<ProducerDecision, { kind: 'append' | 'duplicate' }>, producer: Producer) {
  if (decision.kind === 'fenced') {
    return new EventLogError(
      'FENCED',
      `Attempt ${producer.attempt} of ${producer.id} was superseded by attempt ${decision.attempt}.`,
      { details: { producer: producer.id, attempt: decision.attempt } },
    );
  }
  return new EventLogError(
    'PRODUCER_GAP',
    `Attempt ${producer.attempt} of ${producer.id} must append n ${decision.expected} next, not ${producer.n}.`,
    { details: { producer: producer.id, expected: decision.expected, received: producer.n } },
  );
}
