import type { EncodedEvent } from '@runwire/event-log';
import { createIdGenerator, type IdGenerator, type ThreadId, type UserId } from '@runwire/id-generation';
import { createRecordingLogger, type RecordingLogger } from '@runwire/kernel/testing';
import type { Cursor, EventDraft } from '@runwire/protocol';
import type { FileEventLog, FileEventLogOptions } from '../../src/index.js';
import { openFileEventLog } from '../../src/index.js';
import { createMemoryDisk, type MemoryDisk } from '../../src/testing/index.js';
import { renamed } from './calls.js';
import { createTurningClock, type TurningClock } from './turning-clock.js';

/** A log on a disk in memory, with users and a thread. */
export class Scene implements AsyncDisposable {
  readonly clock: TurningClock = createTurningClock();
  readonly ids: IdGenerator = createIdGenerator({ clock: this.clock });
  readonly logger: RecordingLogger = createRecordingLogger();
  readonly user: UserId = this.ids.userId();
  readonly other: UserId = this.ids.userId();
  readonly threadId: ThreadId = this.ids.threadId();
  readonly #options: Partial<FileEventLogOptions>;
  disk: MemoryDisk = createMemoryDisk();
  log!: FileEventLog;

  constructor(options: Partial<FileEventLogOptions>) {
    this.#options = options;
  }

  async open(options: Partial<FileEventLogOptions> = {}): Promise<FileEventLog> {
    const { clock, ids, logger, disk } = this;
    const all = { directory: 'memory', ...this.#options, ...options };
    this.log = await openFileEventLog({ clock, ids, logger, disk }, all);
    return this.log;
  }

  async reopen(options: Partial<FileEventLogOptions> = {}): Promise<FileEventLog> {
    await this.log.close();
    return await this.open(options);
  }

  /** A draft with this title. */
  said(title: string, threadId: ThreadId = this.threadId): EventDraft {
    return renamed(threadId, title);
  }

  /** Appends one record for each title, one after the other. */
  async say(user: UserId, ...titles: readonly string[]): Promise<void> {
    for (const title of titles) await this.log.append(user, [this.said(title)]);
  }

  /** The titles, or types, that can be read. */
  async heard(user: UserId): Promise<readonly string[]> {
    return (await this.events(user)).map(({ json, type }) => {
      const { data } = JSON.parse(json) as { data: { title?: string } };
      return data.title ?? type;
    });
  }

  /** All events that can be read. */
  async events(user: UserId): Promise<readonly EncodedEvent[]> {
    const { epoch, first } = await this.log.stream(user);
    const after = { epoch, seq: first - 1 };
    const page = await this.log.read(user, { after, limitEvents: 1_000_000, limitBytes: 1_000_000_000 });
    if (page.kind === 'reset') throw new Error(`reset: ${page.reason}`);
    return page.events;
  }

  /** Why a cursor is refused; undefined when it is not. */
  async resetReason(user: UserId, cursor: Partial<Cursor>): Promise<string | undefined> {
    const { epoch } = await this.log.stream(user);
    const after = { epoch, seq: 0, ...cursor };
    const result = await this.log.read(user, { after, limitEvents: 100, limitBytes: 10_000 });
    return result.kind === 'reset' ? result.reason : undefined;
  }

  /** What was logged at a level. */
  logged(level: 'warn' | 'error'): readonly string[] {
    return this.logger.lines.filter((line) => line.level === level).map(({ message }) => message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.log.close();
  }
}

/** An open log on an empty disk. */
export async function setScene(options: Partial<FileEventLogOptions> = {}): Promise<Scene> {
  const scene = new Scene(options);
  await scene.open();
  return scene;
}
