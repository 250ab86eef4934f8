import type { TerminalDraft } from '@runwire/bridge-factory';
import type { Clock, Logger } from '@runwire/kernel';
import { type AnswerPart, answerText, type EventData, type RunEndStatus } from '@runwire/protocol';
import type { UserExecutionContext } from '@runwire/user-context';
import type { FinishRun, RunInput, RunStore } from './contract.js';
import { AgentError } from './errors.js';
import type { ResolvedAgentRuntimeOptions } from './options.js';
import { delay } from './waiting.js';

/** What the end of a run is committed with. */
export interface RunTerminalDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly runs: Pick<RunStore, 'finishRun'>;
  readonly options: Pick<ResolvedAgentRuntimeOptions, 'retryMinDelayMs' | 'retryMaxDelayMs'>;
  /** Aborted when the server closes: a store that fails is not asked again. */
  readonly closing: AbortSignal;
}

/** The run that ends. */
export interface EndingRun {
  readonly context: UserExecutionContext;
  readonly input: RunInput;
}

/** What a run leaves behind. */
export interface Answer {
  readonly parts: readonly AnswerPart[];
  /** The whole text; undefined when the run did not complete, and the parts are all there is. */
  readonly result: string | undefined;
  /** See {@link FinishRun}. */
  readonly begins?: FinishRun['begins'];
}

/** How far the end of a run is: SQL decides, so there is no way back from `committed`. */
export type TerminalState =
  | { readonly kind: 'open' }
  | { readonly kind: 'committed'; readonly status: RunEndStatus; readonly terminal: TerminalDraft }
  /** SQL says that the run has ended, or is of another attempt. */
  | { readonly kind: 'takenOver' }
  /** The server closes and SQL has not taken the end. */
  | { readonly kind: 'givenUp' };

/** Commits the one end of a run to the store, which is asked until it answers. */
export class RunTerminal {
  readonly #deps: RunTerminalDeps;
  readonly #run: EndingRun;
  #state: TerminalState = { kind: 'open' };

  constructor(deps: RunTerminalDeps, run: EndingRun) {
    this.#deps = deps;
    this.#run = run;
  }

  get state(): TerminalState {
    return this.#state;
  }

  /**
   * Writes the end, and the answer as it is to be kept. Settles when SQL has both. The whole answer is asked
   * for, because the event of one that is too large has its address alone.
   *
   * @throws AgentError `RUN_TAKEN_OVER`, `RUN_NOT_ENDED` when the server closes and the store fails
   */
  async commit(terminal: TerminalDraft, answer: Answer): Promise<void> {
    const { status } = terminal.draft.data;
    const { begins } = answer;
    const finish = {
      userId: this.#run.context.userId,
      runId: this.#run.context.runId,
      attempt: this.#run.input.attempt,
      status,
      parts: storedParts(answer),
      terminal,
      ...(begins === undefined ? {} : { begins }),
    };
    if (!(await this.#finish(finish))) {
      this.#state = { kind: 'takenOver' };
      throw new AgentError('RUN_TAKEN_OVER', `The run ${finish.runId} was ended by somebody else.`);
    }
    this.#state = { kind: 'committed', status, terminal };
  }

  async #finish(finish: Omit<FinishRun, 'nowMs'>): Promise<boolean> {
    const { clock, logger, runs, options, closing } = this.#deps;
    let delayMs = options.retryMinDelayMs;
    for (;;) {
      try {
        return await runs.finishRun({ ...finish, nowMs: clock.nowMs() });
      } catch (cause) {
        const { runId } = finish;
        logger.error({ runId, err: cause }, 'The end of a run could not be stored; it is tried again.');
        await delay(clock, delayMs, closing);
        if (closing.aborted) {
          this.#state = { kind: 'givenUp' };
          throw new AgentError('RUN_NOT_ENDED', `The end of the run ${runId} is left to recovery.`, {
            cause,
          });
        }
        delayMs = Math.min(delayMs * 2, options.retryMaxDelayMs);
      }
    }
  }
}

/** The end of an attempt, made without its emitter. */
export interface DirectEnd {
  readonly threadId: string;
  readonly runId: string;
  readonly attempt: number;
  readonly data: EventData<'agent_completed'>;
  /** Whether the log has, or is about to have, the start of the attempt. */
  readonly isBegun: boolean;
}

/**
 * A terminal draft made without the run's emitter: under the next attempt, so that it fences whatever the
 * emitter may still have under way, and as its first append, so that a repeat does nothing. A second or later
 * attempt that is not in the log begins with its end: else clients would wait for the end of the one they show.
 */
export function directTerminal(end: DirectEnd): Pick<FinishRun, 'terminal' | 'begins'> {
  const { threadId, runId, attempt, data, isBegun } = end;
  const { agent, messageId } = data;
  const terminal: TerminalDraft = {
    draft: { type: 'agent_completed', threadId, runId, data },
    producer: { id: runId, attempt: attempt + 1, n: 1 },
  };
  if (isBegun || attempt === 1) return { terminal };
  return {
    terminal,
    begins: { type: 'agent_started', threadId, runId, data: { agent, messageId, attempt } },
  };
}

/** In a run that has ended nothing is running. */
export function endedParts(parts: readonly AnswerPart[]): readonly AnswerPart[] {
  return parts.map((part) => (part.type === 'tool' && part.status === 'running' ? cancelled(part) : part));
}

/** The parts to store: their text is the answer, streamed or not. */
function storedParts({ parts, result }: Answer): readonly AnswerPart[] {
  const ended = endedParts(parts);
  if (result === undefined || answerText(ended) === result) return ended;
  const label = ended.reduce(
    (highest, part) => ('part' in part ? Math.max(highest, part.part) : highest),
    -1,
  );
  return [...ended.filter((part) => part.type !== 'text'), { type: 'text', part: label + 1, text: result }];
}

function cancelled(part: Extract<AnswerPart, { type: 'tool' }>): AnswerPart {
  const { progress: _, ...rest } = part;
  return { ...rest, status: 'cancelled' };
}
