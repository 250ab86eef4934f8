import {
  type AgentDefinition,
  type AgentResult,
  type AgentTask,
  defineAgent,
  type ToolOutcome,
} from '@runwire/agent-handler';
import type { Clock } from '@runwire/kernel';
import { calculatorTool } from './calculator.js';
import { createClockTool } from './clock-tool.js';
import { fillerText } from './filler-text.js';
import { waitUntil } from './pace.js';
import { type Plan, planFor } from './plan.js';
import { createWaitTool } from './wait-tool.js';

/** Between two words of an answer: as fast as people read along, not as fast as it goes. */
const WORD_INTERVAL_MS = 15;

const INTRODUCTION = `I am Runwire's demo agent. I work without a language model, by simple rules, and everything you see me do is real. Ask me, for example:

- what is 2 + 3 * 4?
- what time is it in Tokyo?
- wait 5 seconds
- count to 500 at 50 per second
- write 200 KB`;

/** The built-in agent: offline, honest about it, with real tools. */
export function createDemoAgent(deps: { readonly clock: Clock }): AgentDefinition {
  const { clock } = deps;
  return defineAgent({
    name: 'demo',
    description:
      'Shows what Runwire does: calculates, tells the time, waits, counts and writes. Needs no model.',
    tools: [calculatorTool, createClockTool(deps), createWaitTool(deps)],
    run: (task) => answer(planFor(task.input), task, clock),
  });
}

async function answer(plan: Plan, task: AgentTask, clock: Clock): Promise<AgentResult> {
  switch (plan.kind) {
    case 'calculate':
      await task.emit.reasoning('This is arithmetic: I use the calculator.');
      return await say(
        task,
        clock,
        tell(await task.tools.call('calculator', { expression: plan.expression }), calculated),
      );
    case 'tellTime':
      await task.emit.reasoning('This asks for the time: I look at the clock.');
      return await say(
        task,
        clock,
        tell(await task.tools.call('clock', { place: plan.place }), (out) => timeIn(out, plan.place)),
      );
    case 'wait':
      await task.emit.reasoning('I wait, and show how far I am.');
      return await say(
        task,
        clock,
        tell(await task.tools.call('wait', { seconds: plan.seconds }), () => `I waited ${plan.seconds} s.`),
      );
    case 'count':
      return await count(plan, task, clock);
    case 'write':
      for (const piece of fillerText(plan.bytes)) await task.emit.text(piece);
      return {};
    case 'refuse':
      return await say(task, clock, plan.reason);
    case 'introduce': {
      const time = tell(await task.tools.call('clock', { place: 'UTC' }), (out) => timeIn(out, 'UTC'));
      return await say(task, clock, `${INTRODUCTION}\n\n${time}`);
    }
  }
}

/** Streams a text word by word. */
async function say(task: AgentTask, clock: Clock, text: string): Promise<AgentResult> {
  for (const word of text.split(/(?<=\s)(?=\S)/)) {
    await task.emit.text(word);
    await waitUntil(clock, clock.monotonicMs() + WORD_INTERVAL_MS, task.signal);
  }
  return {};
}

/** Exactly `1 2 3 … n`, one emit each. Instants are absolute, so a late one does not delay the rest. */
async function count(
  plan: { readonly to: number; readonly perSecond: number | undefined },
  task: AgentTask,
  clock: Clock,
): Promise<AgentResult> {
  const begunAtMs = clock.monotonicMs();
  for (let number = 1; number <= plan.to; number += 1) {
    if (plan.perSecond !== undefined) {
      await waitUntil(clock, begunAtMs + ((number - 1) * 1_000) / plan.perSecond, task.signal);
    }
    await task.emit.text(number === 1 ? '1' : ` ${number}`);
  }
  return {};
}

function tell(outcome: ToolOutcome, success: (output: unknown) => string): string {
  return outcome.status === 'success'
    ? success(outcome.output)
    : `That did not work: ${outcome.error.message}`;
}

function calculated(output: unknown): string {
  return `The answer is ${(output as { value: number }).value}.`;
}

function timeIn(output: unknown, place: string): string {
  const { time, zone } = output as { time: string; zone: string };
  return `In ${place} it is ${time} (${zone}).`;
}
