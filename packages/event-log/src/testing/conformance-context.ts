import { createIdGenerator, type IdGenerator, type UserId } from '@runwire/id-generation';
import {
  createManualClock,
  createRecordingLogger,
  type ManualClock,
  type RecordingLogger,
} from '@runwire/kernel/testing';
import type { EventLog, RetentionOptions } from '../contract.js';

/** What a case asks of the log it opens. */
export interface ConformanceLogOptions {
  readonly retention?: RetentionOptions;
  readonly maxEventBytes?: number;
}

/** What the implementation under test is built from. */
export interface ConformanceLogDeps {
  readonly clock: ManualClock;
  readonly ids: IdGenerator;
  readonly logger: RecordingLogger;
}

/** What a case works with; each case needs a fresh one. */
export interface EventLogConformanceContext extends ConformanceLogDeps, AsyncDisposable {
  /** Opens an empty log; the context's disposal closes it. */
  readonly openLog: (options?: ConformanceLogOptions) => Promise<EventLog>;
  /** A user whom no log has seen. */
  readonly newUser: () => UserId;
}

/** One promise of the contract. `run` rejects with an `AssertionError` when it is broken. */
export interface EventLogConformanceCase {
  readonly name: string;
  readonly run: (context: EventLogConformanceContext) => Promise<void>;
}

/** How to build a context. */
export interface ConformanceContextOptions {
  /** Opens an empty log of the implementation under test. */
  readonly open: (deps: ConformanceLogDeps, options: ConformanceLogOptions) => Promise<EventLog>;
  /**
   * A log that does real I/O passes a clock whose turns really come (`nextTurn` of the host) and whose `settle`
   * waits for them; the time of day and the timers stay in the cases' hands.
   *
   * @defaultValue a manual clock
   */
  readonly clock?: ManualClock;
}

/** Creates the context of one case. Disposing it closes the logs that the case opened. */
export function createConformanceContext(options: ConformanceContextOptions): EventLogConformanceContext {
  const clock = options.clock ?? createManualClock();
  const deps = { clock, ids: createIdGenerator({ clock }), logger: createRecordingLogger() };
  const opened: EventLog[] = [];
  return {
    ...deps,
    async openLog(logOptions = {}) {
      const log = await options.open(deps, logOptions);
      opened.push(log);
      return log;
    },
    newUser: () => deps.ids.userId(),
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((log) => log.close()));
    },
  };
}
