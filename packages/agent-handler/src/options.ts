import { LIMITS } from '@runwire/protocol';
import type { RunLimits } from './definitions.js';
import { AgentError } from './errors.js';

/** How agents are run. Every value is a positive integer. */
export interface AgentRuntimeOptions {
  /** Runs of one user at a time, those about to start included. @defaultValue 3 */
  readonly maxRunsPerUser?: number;
  /** Runs of this process at a time. @defaultValue 200 */
  readonly maxRuns?: number;
  /** Attempts of one run, the first included, of an agent with `retryOnCrash`; then it ends `interrupted`. @defaultValue 3 */
  readonly maxRunAttempts?: number;
  /** UTF-8 bytes of text in the answer of one run; then it fails with `ANSWER_TOO_LARGE`. @defaultValue 33_554_432 */
  readonly maxAnswerBytes?: number;
  /** Parts of the answer of one run: texts, steps, tool calls, problems; then as above. @defaultValue 10_000 */
  readonly maxAnswerParts?: number;
  /** The limits of a run whose agent sets none. */
  readonly limits?: Partial<RunLimits>;
  /** A tool call whose tool sets no timeout. @defaultValue 30_000 */
  readonly toolTimeoutMs?: number;
  /** Earlier messages of the thread that an agent is given. @defaultValue 100 */
  readonly maxHistoryMessages?: number;
  /** How long a repeated command waits for the first. @defaultValue 10_000 */
  readonly commandWaitMs?: number;
  /** The delay after a store or a log has failed; it doubles with each failure. @defaultValue 250 */
  readonly retryMinDelayMs?: number;
  /** No such delay is longer. @defaultValue 10_000 */
  readonly retryMaxDelayMs?: number;
}

/** {@link AgentRuntimeOptions} with every value set and checked. */
export interface ResolvedAgentRuntimeOptions extends Readonly<Required<AgentRuntimeOptions>> {
  readonly limits: RunLimits;
}

/** The defaults: the limits of protocol §7a. */
export const DEFAULT_AGENT_RUNTIME_OPTIONS: ResolvedAgentRuntimeOptions = Object.freeze({
  maxRunsPerUser: LIMITS.maxRunsPerUser,
  maxRuns: LIMITS.maxRuns,
  maxRunAttempts: 3,
  maxAnswerBytes: 32 * 1_048_576,
  maxAnswerParts: 10_000,
  limits: Object.freeze({
    runTimeoutMs: LIMITS.runTimeoutMs,
    idleTimeoutMs: LIMITS.runIdleTimeoutMs,
    stopTimeoutMs: LIMITS.stopTimeoutMs,
  }),
  toolTimeoutMs: LIMITS.toolTimeoutMs,
  maxHistoryMessages: 100,
  commandWaitMs: LIMITS.commandWaitMs,
  retryMinDelayMs: 250,
  retryMaxDelayMs: 10_000,
});

/** @throws AgentError `AGENT_INVALID_OPTION` naming the option */
export function resolveOptions(options: AgentRuntimeOptions = {}): ResolvedAgentRuntimeOptions {
  const { limits, ...rest } = options;
  return resolveGroup(
    { ...DEFAULT_AGENT_RUNTIME_OPTIONS, limits: resolveLimits(DEFAULT_AGENT_RUNTIME_OPTIONS.limits, limits) },
    rest,
    '',
  );
}

/** The limits of a run: those given, and `defaults` for the rest. @throws AgentError `AGENT_INVALID_OPTION` */
export function resolveLimits(defaults: RunLimits, limits: Partial<RunLimits> | undefined): RunLimits {
  return resolveGroup(defaults, limits ?? {}, 'limits.');
}

function resolveGroup<T extends object>(defaults: T, given: Partial<T>, prefix: string): T {
  const resolved = { ...defaults };
  for (const name of Object.keys(defaults) as (keyof T & string)[]) {
    const value = given[name];
    if (value === undefined) continue;
    if (!Number.isSafeInteger(value) || Number(value) < 1) {
      const option = `${prefix}${name}`;
      throw new AgentError(
        'AGENT_INVALID_OPTION',
        `${option} must be a positive integer, not ${String(value)}.`,
        {
          details: { option },
        },
      );
    }
    resolved[name] = value;
  }
  return Object.freeze(resolved);
}
