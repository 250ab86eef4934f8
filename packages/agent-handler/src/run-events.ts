import type { UserEmitter } from '@runwire/bridge-factory';
import { type Clock, isCodedError } from '@runwire/kernel';
import {
  type AnswerPart,
  answerText,
  applyRunEvent,
  type EventData,
  type RunEventType,
  type RunView,
  type RunwireEvent,
} from '@runwire/protocol';
import { type AnswerLimits, AnswerSize } from './answer-size.js';
import type { RunInput } from './contract.js';
import { appendFailure, FAILURES, runOver } from './errors.js';
import type { RunEnding } from './run-ending.js';
import { quiet } from './waiting.js';

/** What the events of a run are made with. */
export interface RunEventsDeps {
  readonly clock: Clock;
  readonly emitter: UserEmitter;
  readonly ending: RunEnding;
  readonly run: RunInput;
  readonly limits: AnswerLimits;
}

/**
 * The one way for a run's parts to emit. Keeps the answer as the events make it, by the fold that everybody
 * uses; ends the run when an event cannot be emitted; refuses what comes after the end, except the ends of
 * tool calls.
 */
export class RunEvents {
  readonly #deps: RunEventsDeps;
  readonly #size: AnswerSize;
  #view: RunView | undefined;
  /** Label of the part that deltas go to. */
  #part = -1;
  #kind: 'text' | 'reasoning' | undefined;
  #offset = 0;
  #isBegun = false;

  constructor(deps: RunEventsDeps) {
    this.#deps = deps;
    this.#size = new AnswerSize(deps.limits);
  }

  /** The answer so far. */
  get parts(): readonly AnswerPart[] {
    return this.#view?.parts ?? [];
  }

  /** The streamed text so far. */
  get text(): string {
    return answerText(this.parts);
  }

  /** Whether the log has the start of this attempt. */
  get isBegun(): boolean {
    return this.#isBegun;
  }

  /** Says that the run has begun, once: before whatever else it emits, and before its end. */
  started(): Promise<void> {
    if (this.#view !== undefined) return Promise.resolve();
    const { emitter, run } = this.#deps;
    const data = { agent: run.agent, messageId: run.answerId, attempt: run.attempt };
    this.#fold('agent_started', data);
    const started = emitter.agentStarted(data).then(() => {
      this.#isBegun = true;
    });
    return this.#watched(started);
  }

  thinking(text: string, step?: { readonly step: number; readonly totalSteps: number }): Promise<void> {
    const { emitter, run } = this.#deps;
    if (!this.#isRoomFor(text, 1)) return quiet(Promise.reject(runOver()));
    return this.#emit('agent_thinking', { agent: run.agent, text, ...step }, (data) =>
      emitter.agentThinking(data),
    );
  }

  problem(code: string, message: string): Promise<void> {
    const { emitter } = this.#deps;
    if (!this.#isRoomFor(message, 1)) return quiet(Promise.reject(runOver()));
    return this.#emit('agent_error', { code, message, recoverable: true }, (data) =>
      emitter.agentError(data),
    );
  }

  /** Appends to the answer; a new part begins with a change of kind, and after a tool call. */
  delta(kind: 'text' | 'reasoning', text: string): Promise<void> {
    const { emitter, ending, run } = this.#deps;
    if (ending.verdict !== undefined) return quiet(Promise.reject(runOver()));
    if (text === '') return Promise.resolve();
    if (!this.#isRoomFor(text, kind === this.#kind ? 0 : 1)) return quiet(Promise.reject(runOver()));
    if (kind !== this.#kind) {
      this.#kind = kind;
      this.#part += 1;
      this.#offset = 0;
    }
    const delta = { messageId: run.answerId, part: this.#part, kind, text };
    const data = { ...delta, offset: this.#offset };
    this.#offset += text.length;
    return this.#emit('agent_delta', data, () => emitter.agentDelta(delta));
  }

  toolExecuting(data: EventData<'tool_executing'>): Promise<void> {
    this.#kind = undefined;
    if (!this.#isRoomFor('', 1)) return quiet(Promise.reject(runOver()));
    return this.#emit('tool_executing', data, () => this.#deps.emitter.toolExecuting(data));
  }

  toolProgress(data: EventData<'tool_progress'>): Promise<void> {
    return this.#emit('tool_progress', data, () => this.#deps.emitter.toolProgress(data));
  }

  /** The end of a tool call, also after the end of the run is decided. An output that is too large makes it an error. */
  toolCompleted(data: EventData<'tool_completed'>): Promise<EventData<'tool_completed'>> {
    this.#kind = undefined;
    this.#fold('tool_completed', data);
    return this.#watched(this.#completeTool(data));
  }

  async #completeTool(data: EventData<'tool_completed'>): Promise<EventData<'tool_completed'>> {
    const { emitter } = this.#deps;
    try {
      await emitter.toolCompleted(data);
      return data;
    } catch (cause) {
      if (!isTooLarge(cause)) throw cause;
      const { output: _, ...rest } = data;
      const failed = { ...rest, status: 'error' as const, error: FAILURES.toolOutputTooLarge };
      this.#foldAgain(failed);
      await emitter.toolCompleted(failed);
      return failed;
    }
  }

  #emit<T extends RunEventType>(
    type: T,
    data: EventData<T>,
    send: (data: EventData<T>) => Promise<void>,
  ): Promise<void> {
    const { ending } = this.#deps;
    if (ending.verdict !== undefined) return quiet(Promise.reject(runOver()));
    this.#fold(type, data);
    return ending.guard(this.#watched(send(data)));
  }

  /** An answer that would become too large ends the run. */
  #isRoomFor(text: string, newParts: number): boolean {
    if (this.#size.take(text, newParts)) return true;
    this.#deps.ending.decide({ kind: 'failed', failure: FAILURES.answerTooLarge, cause: undefined });
    return false;
  }

  /** An event that is not emitted ends the run: nothing is dropped in silence. */
  #watched<T>(emitted: Promise<T>): Promise<T> {
    emitted.catch((cause: unknown) => {
      const failure = appendFailure(cause, FAILURES.notDelivered);
      this.#deps.ending.decide({ kind: 'failed', failure, cause });
    });
    return emitted;
  }

  #fold<T extends RunEventType>(type: T, data: EventData<T>): void {
    const { clock, emitter } = this.#deps;
    const { threadId, runId } = emitter.context;
    // The log gives events their position; the fold needs none.
    const event = {
      type,
      seq: 0,
      id: '',
      at: clock.nowMs(),
      threadId,
      runId,
      data,
    } as unknown as RunwireEvent;
    this.#view = applyRunEvent(this.#view, event);
  }

  /** Takes the end of a tool call back, which the fold would refuse, and puts another in its place. */
  #foldAgain(data: EventData<'tool_completed'>): void {
    const view = this.#view;
    if (view === undefined) return;
    const parts = view.parts.map((part): AnswerPart => {
      if (part.type !== 'tool' || part.toolCallId !== data.toolCallId) return part;
      return {
        type: 'tool',
        toolCallId: part.toolCallId,
        tool: part.tool,
        input: part.input,
        status: 'running',
      };
    });
    this.#view = { ...view, parts };
    this.#fold('tool_completed', data);
  }
}

/** Codes of `bridge-factory` for a value that fits no event and could not be kept elsewhere. */
function isTooLarge(cause: unknown): boolean {
  return isCodedError(cause, 'LARGE_VALUE_NOT_STORED') || isCodedError(cause, 'BRIDGE_MISSING_DEPENDENCY');
}
