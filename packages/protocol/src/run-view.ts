import type { EventError, RunEndStatus, ToolStatus } from './contract.js';
import type { EventData, RunwireEvent, RunwireEventOf } from './events.js';

/** A piece of an answer, as a user sees it. */
export type AnswerPart =
  | { readonly type: 'text' | 'reasoning'; readonly part: number; readonly text: string }
  | {
      readonly type: 'thinking';
      readonly text: string;
      readonly step?: number;
      readonly totalSteps?: number;
    }
  | {
      readonly type: 'tool';
      readonly toolCallId: string;
      readonly tool: string;
      readonly input: unknown;
      readonly status: 'running' | ToolStatus;
      readonly progress?: { readonly message?: string; readonly percent?: number };
      readonly output?: unknown;
      readonly outputUrl?: string;
      readonly error?: EventError;
      readonly durationMs?: number;
    }
  | { readonly type: 'problem'; readonly code: string; readonly message: string };

/** A run and its answer so far. */
export interface RunView {
  readonly runId: string;
  readonly threadId: string;
  readonly agent: string;
  /** The message that is the answer; another one for each attempt. */
  readonly messageId: string;
  readonly attempt: number;
  readonly status: 'running' | RunEndStatus;
  /** In the order of their first appearance. */
  readonly parts: readonly AnswerPart[];
  readonly startedAtMs: number;
  readonly durationMs?: number;
  readonly result?: string;
  readonly resultUrl?: string;
  readonly error?: EventError;
}

type ToolPart = Extract<AnswerPart, { type: 'tool' }>;

/**
 * What an event makes of a run: the one fold behind a server's snapshot, its recovery and a browser's view.
 *
 * Pure; an event that changes nothing returns `view` itself, a change shares every part it does not touch.
 * Events in their order, each once, need no more; beyond that, deltas (in any split, merge or overlap),
 * tool events, starts and ends may be repeated without effect, which is what a snapshot needs whose rows are
 * ahead of its cursor (§8). Another run's events and those of a superseded attempt's message change nothing,
 * and nothing changes a run that has ended. A delta beyond the known length of its part is a gap (§6) and
 * changes nothing.
 *
 * @returns undefined as long as the run's `agent_started` has not been seen
 */
export function applyRunEvent(view: RunView | undefined, event: RunwireEvent): RunView | undefined {
  if (event.type === 'agent_started') return applyStart(view, event);
  if (view === undefined || view.runId !== event.runId || view.status !== 'running') return view;
  return changed(view, event) ?? view;
}

/** The text parts joined: the answer without reasoning, steps and tools. */
export function answerText(parts: readonly AnswerPart[]): string {
  let text = '';
  for (const part of parts) if (part.type === 'text') text += part.text;
  return text;
}

/** The view after an event of its open run; undefined when it, or one of a newer server, changes nothing. */
function changed(
  view: RunView,
  event: Exclude<RunwireEvent, { type: 'agent_started' | 'erased' }>,
): RunView | undefined {
  switch (event.type) {
    case 'agent_delta':
      return applyDelta(view, event.data);
    case 'agent_thinking':
      return withPart(view, thinkingPart(event.data));
    case 'agent_error':
      return withPart(view, { type: 'problem', code: event.data.code, message: event.data.message });
    case 'tool_executing':
      return applyToolStart(view, event.data);
    case 'tool_progress':
      return applyToolProgress(view, event.data);
    case 'tool_completed':
      return applyToolEnd(view, event.data);
    case 'agent_completed':
      return applyEnd(view, event.data);
    case 'approval_required':
    case 'approval_resolved':
    case 'message_added':
    case 'thread_created':
    case 'thread_updated':
    case 'thread_deleted':
      return undefined;
  }
}

function applyStart(view: RunView | undefined, event: RunwireEventOf<'agent_started'>): RunView {
  const { agent, messageId, attempt } = event.data;
  if (view !== undefined) {
    if (view.runId !== event.runId || view.status !== 'running' || attempt <= view.attempt) return view;
  }
  return {
    runId: event.runId,
    threadId: event.threadId,
    agent,
    messageId,
    attempt,
    status: 'running',
    parts: [],
    startedAtMs: event.at,
  };
}

function applyDelta(view: RunView, delta: EventData<'agent_delta'>): RunView {
  // The input of a tool call is shown, redacted, by its `tool_executing`.
  if (delta.messageId !== view.messageId || delta.kind === 'tool_input') return view;
  const { kind, part: label } = delta;
  const index = view.parts.findIndex((part) => part.type === kind && part.part === label);
  const known = view.parts[index];
  if (known === undefined || !('part' in known)) {
    const begins = delta.offset === 0 && delta.text !== '';
    return begins ? withPart(view, { type: kind, part: label, text: delta.text }) : view;
  }
  const skip = known.text.length - delta.offset;
  if (skip < 0 || skip >= delta.text.length) return view;
  return replacePart(view, index, { ...known, text: known.text + delta.text.slice(skip) });
}

function thinkingPart(data: EventData<'agent_thinking'>): AnswerPart {
  return {
    type: 'thinking',
    text: data.text,
    ...(data.step === undefined ? {} : { step: data.step }),
    ...(data.totalSteps === undefined ? {} : { totalSteps: data.totalSteps }),
  };
}

function findTool(view: RunView, toolCallId: string): { index: number; tool: ToolPart | undefined } {
  const index = view.parts.findIndex((part) => part.type === 'tool' && part.toolCallId === toolCallId);
  const part = view.parts[index];
  return { index, tool: part?.type === 'tool' ? part : undefined };
}

function applyToolStart(view: RunView, data: EventData<'tool_executing'>): RunView {
  if (findTool(view, data.toolCallId).tool !== undefined) return view;
  const { toolCallId, tool, input } = data;
  return withPart(view, { type: 'tool', toolCallId, tool, input, status: 'running' });
}

function applyToolProgress(view: RunView, data: EventData<'tool_progress'>): RunView {
  const { index, tool } = findTool(view, data.toolCallId);
  if (tool?.status !== 'running') return view;
  const { toolCallId: _, ...progress } = data;
  return replacePart(view, index, { ...tool, progress });
}

function applyToolEnd(view: RunView, data: EventData<'tool_completed'>): RunView {
  const { index, tool } = findTool(view, data.toolCallId);
  if (tool !== undefined && tool.status !== 'running') return view;
  // Progress may have been left out on the way (§4), so it is not part of what remains.
  const ended: ToolPart = { type: 'tool', input: tool === undefined ? null : tool.input, ...data };
  return tool === undefined ? withPart(view, ended) : replacePart(view, index, ended);
}

function applyEnd(view: RunView, data: EventData<'agent_completed'>): RunView {
  if (data.messageId !== view.messageId) return view;
  const { status, durationMs, result, resultUrl, error } = data;
  return {
    ...view,
    status,
    durationMs,
    parts: endTools(view.parts),
    ...(result === undefined ? {} : { result }),
    ...(resultUrl === undefined ? {} : { resultUrl }),
    ...(error === undefined ? {} : { error }),
  };
}

/** A process that died leaves tool calls open; in a run that has ended nothing is running. */
function endTools(parts: readonly AnswerPart[]): readonly AnswerPart[] {
  const open = (part: AnswerPart): part is ToolPart => part.type === 'tool' && part.status === 'running';
  if (!parts.some(open)) return parts;
  return parts.map((part) => {
    if (!open(part)) return part;
    const { progress: _, ...rest } = part;
    return { ...rest, status: 'cancelled' };
  });
}

function withPart(view: RunView, part: AnswerPart): RunView {
  return { ...view, parts: [...view.parts, part] };
}

function replacePart(view: RunView, index: number, part: AnswerPart): RunView {
  return { ...view, parts: view.parts.with(index, part) };
}
