import type { Clock } from '@runwire/kernel';
import type { AgentOutput } from './definitions.js';
import { AgentError } from './errors.js';
import type { RunEvents } from './run-events.js';
import { quiet } from './waiting.js';

/** An emit that finds room settles without a turn of the event loop; after so many of them everybody else has one. */
const EMITS_PER_TURN = 200;

/**
 * What an agent emits with. Only text goes through: an agent in plain JavaScript may pass anything. An agent
 * that emits as fast as it goes, and awaits, does not keep others from theirs.
 */
export function createAgentOutput(events: RunEvents, clock: Clock): AgentOutput {
  let left = EMITS_PER_TURN;
  const emit = (texts: readonly unknown[], send: () => Promise<void>): Promise<void> => {
    if (!texts.every((text) => typeof text === 'string')) return refused(texts);
    left -= 1;
    if (left > 0) return send();
    left = EMITS_PER_TURN;
    return quiet(send().then(() => new Promise<void>((resolve) => clock.nextTurn(resolve))));
  };
  return Object.freeze({
    thinking: (text: string, step?: { readonly step: number; readonly totalSteps: number }) =>
      emit([text], () => events.thinking(text, step)),
    text: (piece: string) => emit([piece], () => events.delta('text', piece)),
    reasoning: (piece: string) => emit([piece], () => events.delta('reasoning', piece)),
    problem: (code: string, message: string) => emit([code, message], () => events.problem(code, message)),
  });
}

function refused(texts: readonly unknown[]): Promise<never> {
  const message = `An agent emits text, not ${texts.map((text) => typeof text).join(', ')}.`;
  return quiet(Promise.reject(new AgentError('AGENT_INVALID_OUTPUT', message)));
}
