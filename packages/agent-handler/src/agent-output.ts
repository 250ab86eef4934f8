import type { AgentOutput } from './definitions.js';
import { AgentError } from './errors.js';
import type { RunEvents } from './run-events.js';
import { quiet } from './waiting.js';

/** What an agent emits with. Only text goes through: an agent in plain JavaScript may pass anything. */
export function createAgentOutput(events: RunEvents): AgentOutput {
  return Object.freeze({
    thinking: (text: string, step?: { readonly step: number; readonly totalSteps: number }) =>
      checked([text], () => events.thinking(text, step)),
    text: (piece: string) => checked([piece], () => events.delta('text', piece)),
    reasoning: (piece: string) => checked([piece], () => events.delta('reasoning', piece)),
    problem: (code: string, message: string) => checked([code, message], () => events.problem(code, message)),
  });
}

function checked(texts: readonly unknown[], emit: () => Promise<void>): Promise<void> {
  if (texts.every((text) => typeof text === 'string')) return emit();
  const message = `An agent emits text, not ${texts.map((text) => typeof text).join(', ')}.`;
  return quiet(Promise.reject(new AgentError('AGENT_INVALID_OUTPUT', message)));
}
