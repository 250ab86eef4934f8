import { applyRunEvent, type RunView, type RunwireEvent } from '@runwire/protocol';
import type { Snapshot } from '../server/snapshot.js';

/** What an application shows: its runs, by id. Never changed: each event makes another. */
export type AppState = ReadonlyMap<string, RunView>;

/** What nobody has been told anything yet. */
export const EMPTY_STATE: AppState = new Map();

/** The state after an event. */
export function applyEvent(state: AppState, event: RunwireEvent): AppState {
  if (event.type === 'thread_deleted') return withoutThread(state, event.threadId);
  if (event.runId === undefined) return state;
  const before = state.get(event.runId);
  const after = applyRunEvent(before, event);
  return after === undefined || after === before ? state : new Map(state).set(event.runId, after);
}

/** The state that a snapshot shows. */
export function stateOf({ runs }: Snapshot): AppState {
  return new Map(runs.map((run) => [run.runId, run]));
}

function withoutThread(state: AppState, threadId: string): AppState {
  return new Map([...state].filter(([, view]) => view.threadId !== threadId));
}
