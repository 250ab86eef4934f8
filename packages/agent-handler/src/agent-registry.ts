import type { AgentRegistry } from './contract.js';
import type { AgentDefinition } from './definitions.js';
import { AgentError } from './errors.js';

/**
 * The agents of a process. They cannot change later.
 *
 * @throws AgentError `AGENT_INVALID_DEFINITION` when two have one name; `AGENT_UNKNOWN` when the default is none
 * of them
 */
export function createAgentRegistry(
  agents: readonly AgentDefinition[],
  options: { readonly defaultAgent: string },
): AgentRegistry {
  const { defaultAgent } = options;
  const byName = new Map<string, AgentDefinition>();
  for (const agent of agents) {
    if (byName.has(agent.name)) {
      throw new AgentError('AGENT_INVALID_DEFINITION', `There are two agents "${agent.name}".`, {
        details: { name: agent.name },
      });
    }
    byName.set(agent.name, agent);
  }
  const list = Object.freeze([...byName.values()]);
  const get = (name: string): AgentDefinition => {
    const agent = byName.get(name);
    if (agent === undefined) throw unknownAgent(name, [...byName.keys()]);
    return agent;
  };
  get(defaultAgent);
  return Object.freeze({ get, has: (name: string) => byName.has(name), list: () => list, defaultAgent });
}

function unknownAgent(name: string, names: readonly string[]): AgentError {
  return new AgentError(
    'AGENT_UNKNOWN',
    `There is no agent "${name}". The agents are: ${names.join(', ')}.`,
    {
      details: { agents: names },
    },
  );
}
