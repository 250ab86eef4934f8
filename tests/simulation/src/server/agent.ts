import {
  type AgentDefinition,
  type AgentTask,
  type AnyToolDefinition,
  defineAgent,
} from '@runwire/agent-handler';
import type { RunId } from '@runwire/id-generation';
import type { Clock } from '@runwire/kernel';
import { inventText } from './text.js';

/** What an agent does, one step after the other. */
export type Step =
  | {
      readonly kind: 'text' | 'reasoning';
      readonly pieces: number;
      /** UTF-16 units of a piece, on average. */
      readonly size: number;
      readonly salt: number;
      /** Between two pieces. */
      readonly paceMs: number;
      /** Waits until there is room for more, as it should. */
      readonly awaits: boolean;
    }
  | { readonly kind: 'thinking' | 'problem'; readonly text: string }
  | {
      readonly kind: 'tool';
      readonly outcome: 'success' | 'error' | 'missing' | 'slow';
      readonly progress: number;
      readonly paceMs: number;
    }
  | { readonly kind: 'pause'; readonly ms: number };

/** One run of the simulated agent. It travels as the text of the message that asks for it. */
export interface Script {
  /** Tells this message from every other. */
  readonly number: number;
  readonly steps: readonly Step[];
  /** `silent` returns at once with nothing said; `hang` never returns. */
  readonly ending: 'return' | 'throw' | 'hang';
}

/** What agents have really said, to be compared with what arrives. */
export interface Productions {
  /** An attempt of a run begins. What it says is handed to what this returns. */
  begin(runId: RunId): (said: Said) => void;
}

/** A piece of an answer. */
export interface Said {
  readonly kind: 'text' | 'reasoning';
  readonly piece: string;
}

/** The name of the simulated agent. */
export const AGENT_NAME = 'simulated';

/** The message that asks for a script: a first line for the title of its thread, and the script. */
export function messageOf(script: Script): string {
  return `#${script.number}\n${JSON.stringify(script)}`;
}

/** The script that a message asks for. */
export function scriptOf(message: string): Script {
  return JSON.parse(message.slice(message.indexOf('\n') + 1)) as Script;
}

/** Longer than any tool is given; it does not listen when it is told to stop. */
const SLOW_TOOL_MS = 8_000;

/** Creates the agent of one process. */
export function createSimulatedAgent(deps: {
  readonly clock: Clock;
  readonly productions: Productions;
  readonly retryOnCrash: boolean;
}): AgentDefinition {
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => void deps.clock.setTimer(ms, resolve));
  return defineAgent({
    name: AGENT_NAME,
    description: 'Does what it is told.',
    retryOnCrash: deps.retryOnCrash,
    tools: [createTool('work', pause)],
    async run(task) {
      const script = scriptOf(task.input);
      const actor = new Performer(task, { say: deps.productions.begin(task.context.runId), pause });
      for (const step of script.steps) await actor.perform(step);
      if (script.ending === 'throw') throw new Error('The agent was told to fail.');
      if (script.ending === 'hang') await new Promise(() => undefined);
      return {};
    },
  });
}

interface PerformerDeps {
  readonly say: (said: Said) => void;
  readonly pause: (ms: number) => Promise<void>;
}

/** Performs the steps of one run. */
class Performer {
  readonly #task: AgentTask;
  readonly #deps: PerformerDeps;

  constructor(task: AgentTask, deps: PerformerDeps) {
    this.#task = task;
    this.#deps = deps;
  }

  async perform(step: Step): Promise<void> {
    const { emit, tools } = this.#task;
    switch (step.kind) {
      case 'text':
      case 'reasoning':
        await this.#speak(step);
        return;
      case 'thinking':
        await emit.thinking(step.text);
        return;
      case 'problem':
        await emit.problem('SIMULATED', step.text);
        return;
      case 'pause':
        await this.#deps.pause(step.ms);
        return;
      case 'tool':
        await tools.call(step.outcome === 'missing' ? 'unheard-of' : 'work', step);
    }
  }

  async #speak(step: Extract<Step, { kind: 'text' | 'reasoning' }>): Promise<void> {
    const { emit, signal } = this.#task;
    const { say, pause } = this.#deps;
    for (const piece of inventText(step)) {
      if (signal.aborted) throw signal.reason;
      say({ kind: step.kind, piece });
      const spoken = step.kind === 'text' ? emit.text(piece) : emit.reasoning(piece);
      if (step.awaits) await spoken;
      if (step.paceMs > 0) await pause(step.paceMs);
    }
  }
}

type ToolStep = Extract<Step, { kind: 'tool' }>;

/** A tool that takes its time and tells how far it is. Its input is the step, unchecked. */
function createTool(name: string, pause: (ms: number) => Promise<void>): AnyToolDefinition {
  return {
    name,
    description: 'Works for a while.',
    input: {
      safeParseAsync: async (data: unknown) => ({ success: true, data }),
    } as unknown as AnyToolDefinition['input'],
    async run(input, call) {
      const { outcome, progress, paceMs } = input as ToolStep;
      for (let done = 1; done <= progress; done += 1) {
        await pause(paceMs);
        await call.progress({ percent: (100 * done) / progress });
      }
      if (outcome === 'slow') await pause(SLOW_TOOL_MS);
      if (outcome === 'error') throw new Error('The tool was told to fail.');
      return { done: progress };
    },
  };
}
