import { type Clock, CodedError } from '@runwire/kernel';

/** The phases of a start, in their order. */
export const STARTUP_PHASES = [
  'config',
  'logging',
  'database',
  'event log',
  'recovery',
  'pool',
  'bridge factory',
  'agents',
  'router',
  'listen',
  'ready',
] as const;

/** One of {@link STARTUP_PHASES}. */
export type StartupPhase = (typeof STARTUP_PHASES)[number];

/** How far a start has come. */
export interface StartupReport {
  readonly ready: boolean;
  /** The phase under way; undefined when ready. */
  readonly waitingFor: StartupPhase | undefined;
  readonly phases: readonly { readonly phase: StartupPhase; readonly durationMs: number }[];
}

/** A phase that failed; the cause is what it failed with. */
export class StartupError extends CodedError<'STARTUP_FAILED'> {
  override readonly name = 'StartupError';
  readonly phase: StartupPhase;

  constructor(phase: StartupPhase, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super('STARTUP_FAILED', `${phase}: ${reason}`, { cause });
    this.phase = phase;
  }
}

/**
 * Runs the phases of one start. Each phase takes what the former gave as an argument, so it cannot be
 * written out of order; running them out of order is refused as well.
 */
export class Startup {
  readonly #clock: Clock;
  readonly #done: { phase: StartupPhase; durationMs: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs one phase. @throws StartupError with the phase's name and cause */
  async run<T>(phase: StartupPhase, work: () => T | Promise<T>): Promise<T> {
    const expected = STARTUP_PHASES[this.#done.length];
    if (phase !== expected) {
      throw new StartupError(phase, new Error(`the phase "${expected ?? 'none'}" comes first`));
    }
    const begunAtMs = this.#clock.monotonicMs();
    try {
      const result = await work();
      this.#done.push({ phase, durationMs: this.#clock.monotonicMs() - begunAtMs });
      return result;
    } catch (cause) {
      throw cause instanceof StartupError ? cause : new StartupError(phase, cause);
    }
  }

  /** How far it has come. */
  report(): StartupReport {
    const waitingFor = STARTUP_PHASES[this.#done.length];
    return { ready: waitingFor === undefined, waitingFor, phases: [...this.#done] };
  }
}
