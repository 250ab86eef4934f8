import { AppendResults } from './append-results.js';
import type { AppendResult, Producer } from './contract.js';

/** What a log knows of one producer. Nobody but this file changes it. */
export interface ProducerState {
  /** The highest attempt seen. */
  attempt: number;
  /** The last `n` of that attempt. */
  n: number;
  /** Results of the last appends, ending with that of `n`. */
  readonly results: AppendResults;
}

/** What to do with an append under a producer key. */
export type ProducerDecision =
  | { readonly kind: 'append' }
  | { readonly kind: 'duplicate'; readonly result: AppendResult }
  | { readonly kind: 'gap'; readonly expected: number }
  | { readonly kind: 'fenced'; readonly attempt: number };

const APPEND: ProducerDecision = Object.freeze({ kind: 'append' });

/**
 * Decides by what is known (nothing, for a producer never seen or forgotten). A new attempt starts at `n` 1; a
 * repeat gets the first result; anything else is a gap, also a repeat too old to be remembered.
 */
export function decideProducer(state: ProducerState | undefined, producer: Producer): ProducerDecision {
  const attempt = state?.attempt ?? 1;
  if (!Number.isSafeInteger(producer.attempt) || producer.attempt < attempt)
    return { kind: 'fenced', attempt };
  const lastN = state === undefined || producer.attempt > state.attempt ? 0 : state.n;
  const expected = lastN + 1;
  if (producer.n === expected) return APPEND;
  const isRepeat = Number.isSafeInteger(producer.n) && producer.n >= 1 && producer.n <= lastN;
  const result = isRepeat ? state?.results.repeat(lastN - producer.n) : undefined;
  if (result === undefined) return { kind: 'gap', expected };
  return { kind: 'duplicate', result };
}

/**
 * Takes note of an append that the log has accepted. One that does not follow what is known comes from a log that
 * had forgotten the producer by then: a log that is opened again sees appends more than a day apart.
 */
export function advanceProducer(
  state: ProducerState | undefined,
  producer: Producer,
  result: AppendResult,
): ProducerState {
  if (state === undefined || producer.attempt !== state.attempt || producer.n !== state.n + 1) {
    return { attempt: producer.attempt, n: producer.n, results: new AppendResults(result.epoch, [result]) };
  }
  state.n = producer.n;
  state.results.push(result);
  return state;
}

/** Forgets all but the last append: after its run's end a producer repeats nothing else. */
export function concludeProducer(state: ProducerState): void {
  state.results.keepLast();
}
