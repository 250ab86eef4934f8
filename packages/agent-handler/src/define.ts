import type { z } from 'zod';
import type { AgentDefinition, ToolDefinition } from './definitions.js';
import { AgentError } from './errors.js';
import { DEFAULT_AGENT_RUNTIME_OPTIONS, resolveLimits } from './options.js';

const NAME = /^[a-z0-9_-]{1,64}$/;

/**
 * Defines a tool; `run` gets the input as its schema gives it. The result is frozen.
 *
 * @throws AgentError `AGENT_INVALID_DEFINITION`
 */
export function defineTool<const Input extends z.ZodType>(
  definition: ToolDefinition<Input>,
): ToolDefinition<Input> {
  requireName('tool', definition.name);
  const { timeoutMs } = definition;
  if (timeoutMs !== undefined && (!Number.isSafeInteger(timeoutMs) || timeoutMs < 1)) {
    throw invalid(
      `The timeoutMs of the tool "${definition.name}" must be a positive integer.`,
      definition.name,
    );
  }
  return Object.freeze({ ...definition });
}

/**
 * Defines an agent. The result is frozen.
 *
 * @throws AgentError `AGENT_INVALID_DEFINITION`, also when two of its tools have one name;
 * `AGENT_INVALID_OPTION` for its limits
 */
export function defineAgent(definition: AgentDefinition): AgentDefinition {
  const { name, tools = [], limits } = definition;
  requireName('agent', name);
  resolveLimits(DEFAULT_AGENT_RUNTIME_OPTIONS.limits, limits);
  const names = new Set<string>();
  for (const tool of tools) {
    if (names.has(tool.name)) throw invalid(`The agent "${name}" has two tools "${tool.name}".`, name);
    names.add(tool.name);
  }
  return Object.freeze({ ...definition, tools: Object.freeze([...tools]) });
}

function requireName(what: 'agent' | 'tool', name: string): void {
  if (NAME.test(name)) return;
  throw invalid(`The name of the ${what} must have 1–64 of a–z 0–9 _ -, not ${JSON.stringify(name)}.`, name);
}

function invalid(message: string, name: string): AgentError {
  return new AgentError('AGENT_INVALID_DEFINITION', message, { details: { name } });
}
