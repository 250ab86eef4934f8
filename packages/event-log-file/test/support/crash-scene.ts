import { createMemoryEventLog, type EventLog } from '@runwire/event-log';
import { createIdGenerator } from '@runwire/id-generation';
import { createManualClock, createRecordingLogger, type ManualClock } from '@runwire/kernel/testing';
import type { FileEventLog, FileEventLogOptions } from '../../src/index.js';
import { openFileEventLog } from '../../src/index.js';
import { createMemoryDisk, type MemoryDisk } from '../../src/testing/index.js';
import { type Call, make, type Outcome } from './calls.js';
import { pictureOf, type StreamPicture } from './picture.js';
import { Cast, type CrashStep } from './plans.js';
import { createTurningClock } from './turning-clock.js';

/** A file log on a disk in memory, and all that was asked of it in order. */
export class CrashScene {
  readonly clock: ManualClock = createTurningClock();
  readonly ids = createIdGenerator({ clock: this.clock });
  readonly logger = createRecordingLogger();
  readonly cast = new Cast(this.ids);
  readonly #options: FileEventLogOptions;
  /** In the order in which they were made. */
  readonly calls: Call[] = [];
  readonly outcomes: Outcome[] = [];
  disk: MemoryDisk = createMemoryDisk();
  readonly #madeAtMs: number[] = [];
  #lastStepAt = 0;
  #log: FileEventLog | undefined;

  constructor(options: Partial<FileEventLogOptions>) {
    this.#options = { directory: 'memory', maxSegmentBytes: 3_000, ...options };
  }

  get log(): FileEventLog {
    if (this.#log === undefined) throw new Error('not open');
    return this.#log;
  }

  async open(): Promise<FileEventLog> {
    const { clock, ids, logger, disk } = this;
    this.#log = await openFileEventLog({ clock, ids, logger, disk }, this.#options);
    return this.#log;
  }

  /** Goes on with what the disk has after a crash. The log that was open meets nothing but errors. */
  async reopenOn(disk: MemoryDisk): Promise<FileEventLog> {
    const left = this.#log;
    this.disk = disk;
    const log = await this.open();
    await left?.close();
    return log;
  }

  /** Takes a step; all its calls have settled when it has. */
  async take(step: CrashStep): Promise<void> {
    if (step === 'interval') return await this.clock.advance(1_000);
    if (step === 'compact') return await this.log.compact().catch(() => undefined);
    const calls = step.map((plan) => this.cast.call(plan));
    this.#lastStepAt = this.calls.length;
    this.calls.push(...calls);
    this.#madeAtMs.push(...calls.map(() => this.clock.nowMs()));
    this.outcomes.push(...(await Promise.all(calls.map((call) => make(this.log, call)))));
  }

  async picture(): Promise<readonly StreamPicture[]> {
    return await pictureOf(this.log, this.cast.users);
  }

  /** What a log is like on which the first `count` calls were made and no others. */
  async expected(count: number): Promise<readonly StreamPicture[]> {
    const model = await this.model(count);
    const picture = await pictureOf(model, this.cast.users);
    await model.close();
    return picture;
  }

  /** A log in memory on which the first `count` calls were made. */
  async model(count: number): Promise<EventLog> {
    const { ids, logger } = this;
    const clock = createManualClock();
    const model = createMemoryEventLog({ clock, ids, logger });
    for (const [index, call] of this.calls.slice(0, count).entries()) {
      clock.jumpWallClock((this.#madeAtMs[index] ?? 0) - clock.nowMs());
      await make(model, call);
    }
    return model;
  }

  /**
   * How many calls must have had their effect when the process died in the last step: all before that step, and
   * in it all up to the last one that cannot have succeeded without one.
   */
  get settledCalls(): number {
    const inStep = this.outcomes.slice(this.#lastStepAt).findLastIndex((outcome) => {
      if (outcome.kind === 'refused') return false;
      return typeof outcome.value === 'object' ? !outcome.value.duplicate : (outcome.value ?? 0) > 0;
    });
    return this.#lastStepAt + inStep + 1;
  }

  /**
   * Texts that were erased by those of the first `made` calls that succeeded: they must not be on the disk after the
   * next compaction. A later call of the last step may have succeeded too, for the process that was dying then.
   */
  erasedTexts(made: number): readonly string[] {
    const texts: string[] = [];
    this.calls.slice(0, made).forEach((erasing, index) => {
      if (erasing.do !== 'erase' || this.outcomes[index]?.kind !== 'done') return;
      for (const call of this.calls.slice(0, index)) {
        if (call.do !== 'append' || call.user !== erasing.user) continue;
        for (const { threadId, data } of call.drafts) {
          if (threadId === erasing.threadId) texts.push(...(JSON.stringify(data).match(/«\d+»/g) ?? []));
        }
      }
    });
    return texts;
  }

  /** Which of the texts stand in any file. */
  foundOnDisk(texts: readonly string[]): readonly string[] {
    const all = Buffer.concat(this.disk.list().map((name) => this.disk.contents(name)));
    return texts.filter((text) => all.includes(text));
  }
}
