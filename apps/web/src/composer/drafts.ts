import { createValueStore, type ReadableStore } from '../state/value-store.js';
import type { SendProblem } from './send-problem.js';

/** What a composer holds: what was typed and not sent, and why something was not sent. */
export interface Draft {
  readonly text: string;
  readonly problem?: SendProblem;
}

/** The drafts by thread (`''`: a new chat). */
export interface Drafts {
  readonly state: ReadableStore<ReadonlyMap<string, Draft>>;
  setText(key: string, text: string): void;
  setProblem(key: string, problem: SendProblem | undefined): void;
  /** Puts a text that was not sent back, unless something else is being written. */
  giveBack(key: string, text: string): void;
}

const EMPTY: Draft = { text: '' };

/** Creates the drafts, none yet. */
export function createDrafts(): Drafts {
  const state = createValueStore<ReadonlyMap<string, Draft>>(new Map());
  const change = (key: string, changed: (draft: Draft) => Draft): void => {
    state.set(new Map(state.get()).set(key, changed(state.get().get(key) ?? EMPTY)));
  };
  return {
    state,
    setText: (key, text) => change(key, (draft) => ({ ...draft, text })),
    setProblem: (key, problem) =>
      change(key, ({ text }) => (problem === undefined ? { text } : { text, problem })),
    giveBack: (key, text) => change(key, (draft) => (draft.text.trim() === '' ? { ...draft, text } : draft)),
  };
}

/** The draft of a thread. */
export function draftOf(drafts: ReadonlyMap<string, Draft>, key: string): Draft {
  return drafts.get(key) ?? EMPTY;
}
