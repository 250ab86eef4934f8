import { Buffer } from 'node:buffer';
import type { Clock, TimerHandle } from '@runwire/kernel';
import type { EventData, EventDraft } from '@runwire/protocol';
import type { UserExecutionContext } from '@runwire/user-context';
import type { DeltaInput, LargeValueStore, TerminalDraft, UserEmitter } from './contract.js';
import { textBytes } from './delta-text.js';
import { BridgeError } from './errors.js';
import type { ResolvedBridgeOptions } from './options.js';
import { quietRejection } from './quiet-promises.js';
import { Rollup } from './rollup.js';
import type { RunAppenderDeps } from './run-appender.js';
import { RunAppender } from './run-appender.js';

/** What a run's emitter is built from. */
export interface EmitterDeps extends RunAppenderDeps {
  readonly clock: Clock;
  readonly largeValues: LargeValueStore | undefined;
  readonly options: ResolvedBridgeOptions['emit'];
  /** Called once when the emitter is over. */
  readonly released: () => void;
}

/** What the log adds to a draft, at most: `seq`, `id`, `at`. */
const ENVELOPE_BYTES = 256;
const DONE = Promise.resolve();
/** The numbers as long as they get. */
const EMPTY_DELTA: EventData<'agent_delta'> = {
  messageId: '',
  part: Number.MAX_SAFE_INTEGER,
  kind: 'tool_input',
  offset: Number.MAX_SAFE_INTEGER,
  text: '',
  toolCallId: '',
};

/** Emits one attempt of one run: keeps the order, rolls deltas up, moves what is too large elsewhere. */
export class RunEmitter implements UserEmitter {
  readonly context: UserExecutionContext;
  readonly #deps: EmitterDeps;
  readonly #scope: { readonly threadId: string; readonly runId: string };
  readonly #rollup: Rollup;
  readonly #appender: RunAppender;
  /** Of a delta without its text and its message: measured once, because encoding each one is what costs. */
  readonly #bytesBesideText: number;
  #timer: TimerHandle | undefined;
  #lastEmitAtMs: number;
  #isEnding = false;
  #isReleased = false;

  constructor(context: UserExecutionContext, attempt: number, deps: EmitterDeps) {
    const { userId, threadId, runId } = context;
    this.context = context;
    this.#deps = deps;
    this.#scope = { threadId, runId };
    this.#bytesBesideText = bytesOf({ type: 'agent_delta', ...this.#scope, data: EMPTY_DELTA });
    this.#rollup = new Rollup(deps.options);
    this.#appender = new RunAppender({ userId, runId, attempt }, deps);
    this.#lastEmitAtMs = deps.clock.monotonicMs();
  }

  get lastEmitAtMs(): number {
    return this.#lastEmitAtMs;
  }

  agentStarted(data: EventData<'agent_started'>): Promise<void> {
    return this.#emit({ type: 'agent_started', ...this.#scope, data });
  }

  agentThinking(data: EventData<'agent_thinking'>): Promise<void> {
    return this.#emit({ type: 'agent_thinking', ...this.#scope, data });
  }

  agentDelta(delta: DeltaInput): Promise<void> {
    const refusal = this.#refusal();
    if (refusal !== undefined) return quietRejection(refusal);
    if (delta.text === '') return DONE;
    this.#lastEmitAtMs = this.#deps.clock.monotonicMs();
    const due = this.#rollup.add(delta, this.#lastEmitAtMs);
    if (due === undefined) return quietRejection(this.#tooManyParts());
    if ('text' in due) this.#enqueueDelta(due);
    else this.#enqueueDeltas(due);
    this.#armTimer();
    return this.#appender.whenRoom();
  }

  toolExecuting(data: EventData<'tool_executing'>): Promise<void> {
    return this.#emit({ type: 'tool_executing', ...this.#scope, data });
  }

  toolProgress(data: EventData<'tool_progress'>): Promise<void> {
    return this.#emit({ type: 'tool_progress', ...this.#scope, data });
  }

  approvalRequired(data: EventData<'approval_required'>): Promise<void> {
    return this.#emit({ type: 'approval_required', ...this.#scope, data });
  }

  approvalResolved(data: EventData<'approval_resolved'>): Promise<void> {
    return this.#emit({ type: 'approval_resolved', ...this.#scope, data });
  }

  toolCompleted(data: EventData<'tool_completed'>): Promise<void> {
    return this.#emit({ type: 'tool_completed', ...this.#scope, data });
  }

  agentError(data: EventData<'agent_error'>): Promise<void> {
    return this.#emit({ type: 'agent_error', ...this.#scope, data });
  }

  agentCompleted(
    data: EventData<'agent_completed'>,
    commit?: (terminal: TerminalDraft) => Promise<void>,
  ): Promise<void> {
    const refusal = this.#refusal();
    if (refusal !== undefined) return quietRejection(refusal);
    this.#isEnding = true;
    this.#lastEmitAtMs = this.#deps.clock.monotonicMs();
    const ended = this.#end(data, commit);
    ended.catch(() => undefined);
    return ended;
  }

  flush(): Promise<void> {
    this.#enqueueDeltas(this.#rollup.flush(this.#deps.clock.monotonicMs()));
    return this.#appender.settled();
  }

  close(): void {
    this.#appender.close(closedError());
    this.#release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    // An append that was under way is waited for; its failure has been told to those who emitted.
    await this.#appender.settled().catch(() => undefined);
  }

  #tooManyParts(): BridgeError {
    const { maxParts } = this.#deps.options;
    return this.#appender.overflow(`More than ${maxParts} parts were emitted`, { maxParts });
  }

  #refusal(): BridgeError | undefined {
    return this.#appender.refusal ?? (this.#isEnding ? closedError() : undefined);
  }

  #emit(draft: EventDraft): Promise<void> {
    const refusal = this.#refusal();
    if (refusal !== undefined) return quietRejection(refusal);
    const bytes = measure(draft);
    if (bytes instanceof BridgeError) return quietRejection(bytes);
    this.#lastEmitAtMs = this.#deps.clock.monotonicMs();
    this.#enqueueDeltas(this.#rollup.flush(this.#lastEmitAtMs));
    if (draft.type !== 'tool_completed' || draft.data.output === undefined || !this.#isTooLarge(bytes)) {
      return this.#appender.enqueue(draft, bytes);
    }
    const { largeValues } = this.#deps;
    if (largeValues === undefined) return quietRejection(noLargeValues('output', bytes));
    const stored = this.#storeOutput(draft.data, largeValues);
    stored.catch(() => undefined);
    return stored;
  }

  /** The event keeps its place in the order while its output is stored, which is not pending meanwhile. */
  async #storeOutput(data: EventData<'tool_completed'>, largeValues: LargeValueStore): Promise<void> {
    const { output, ...rest } = data;
    const place = this.#appender.hold(ENVELOPE_BYTES);
    let outputUrl: string;
    try {
      outputUrl = await largeValues.storeToolOutput(this.context, data.toolCallId, output);
    } catch (cause) {
      place.cancel();
      throw notStored('output', cause);
    }
    const draft: EventDraft = { type: 'tool_completed', ...this.#scope, data: { ...rest, outputUrl } };
    await place.fill(draft, bytesOf(draft));
  }

  async #end(
    data: EventData<'agent_completed'>,
    commit: ((terminal: TerminalDraft) => Promise<void>) | undefined,
  ): Promise<void> {
    try {
      this.#enqueueDeltas(this.#rollup.finish(this.#deps.clock.monotonicMs()));
      await this.#appender.settled();
      const draft = await this.#terminalDraft(data);
      // Closed, or failed, while the run was being ended: nothing is committed.
      if (this.#appender.refusal !== undefined) throw this.#appender.refusal;
      if (commit !== undefined) await commit({ draft, producer: this.#appender.nextProducer });
      await this.#appender.appendLast(draft, bytesOf(draft));
    } catch (cause) {
      this.#isEnding = false;
      throw cause;
    }
    this.close();
  }

  async #terminalDraft(data: EventData<'agent_completed'>): Promise<TerminalDraft['draft']> {
    const draft: TerminalDraft['draft'] = { type: 'agent_completed', ...this.#scope, data };
    const bytes = measure(draft);
    if (bytes instanceof BridgeError) throw bytes;
    const { result, ...rest } = data;
    if (result === undefined || !this.#isTooLarge(bytes)) return draft;
    const { largeValues } = this.#deps;
    if (largeValues === undefined) throw noLargeValues('result', bytes);
    try {
      const resultUrl = await largeValues.storeResult(this.context, result);
      return { ...draft, data: { ...rest, resultUrl } };
    } catch (cause) {
      throw notStored('result', cause);
    }
  }

  #isTooLarge(bytes: number): boolean {
    return bytes > this.#deps.options.maxEventBytes;
  }

  #enqueueDeltas(deltas: readonly EventData<'agent_delta'>[]): void {
    for (const data of deltas) this.#enqueueDelta(data);
  }

  #enqueueDelta(data: EventData<'agent_delta'>): void {
    const { threadId, runId } = this.#scope;
    const bytes = this.#bytesBesideText + data.messageId.length + textBytes(data.text);
    this.#appender.enqueueUnawaited({ type: 'agent_delta', threadId, runId, data }, bytes);
  }

  /** One timer at most; one that finds nothing due is set anew for what waits by then. */
  #armTimer(): void {
    const { dueAtMs } = this.#rollup;
    if (this.#timer !== undefined || dueAtMs === undefined) return;
    const { clock } = this.#deps;
    this.#timer = clock.setTimer(Math.max(0, dueAtMs - clock.monotonicMs()), () => this.#onTimer());
  }

  #onTimer(): void {
    this.#timer = undefined;
    if (this.#isReleased) return;
    const nowMs = this.#deps.clock.monotonicMs();
    const { dueAtMs } = this.#rollup;
    if (dueAtMs !== undefined && dueAtMs <= nowMs) this.#enqueueDeltas(this.#rollup.flush(nowMs));
    this.#armTimer();
  }

  #release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#deps.released();
  }
}

/** Bytes of the event, at most: escapes of JSON make some texts six times as long. */
function bytesOf(draft: EventDraft): number {
  return Buffer.byteLength(JSON.stringify(draft)) + ENVELOPE_BYTES;
}

/** As `bytesOf`; what is no JSON is refused before anything is queued. */
function measure(draft: EventDraft): number | BridgeError {
  try {
    return bytesOf(draft);
  } catch (cause) {
    return new BridgeError('EMIT_FAILED', `The data of ${draft.type} cannot be encoded as JSON.`, { cause });
  }
}

function closedError(): BridgeError {
  return new BridgeError(
    'EMITTER_CLOSED',
    'The run has ended or its emitter is closed: nothing can be emitted.',
  );
}

function noLargeValues(field: string, bytes: number): BridgeError {
  const message = `The event's ${field} is too large (${bytes} bytes) and the dependency "largeValues" is missing.`;
  return new BridgeError('BRIDGE_MISSING_DEPENDENCY', message, { details: { dependency: 'largeValues' } });
}

function notStored(field: string, cause: unknown): BridgeError {
  const message = `The event's ${field} is too large and could not be stored elsewhere.`;
  return new BridgeError('LARGE_VALUE_NOT_STORED', message, { cause });
}
