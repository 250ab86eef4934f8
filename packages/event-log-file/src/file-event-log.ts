import {
  type AppendResult,
  type EncodedBatch,
  EventLogError,
  type OpenRun,
  type Producer,
  type ReadRequest,
  type ReadResult,
  type Unsubscribe,
} from '@runwire/event-log';
import type { ThreadId, UserId } from '@runwire/id-generation';
import type { Clock } from '@runwire/kernel';
import type { EventDraft, StreamInfo } from '@runwire/protocol';
import { AppendItem } from './append-item.js';
import type { FileEventLog, FileEventLogDeps, FileEventLogOptions, FileEventLogStats } from './contract.js';
import { eraseThread } from './erase.js';
import { codeOf, FileLogError, folderUnusable } from './errors.js';
import { createLogParts, type LogParts } from './log-parts.js';
import { logStats } from './log-stats.js';
import { createNodeDisk } from './node-disk.js';
import { openLog } from './open-log.js';
import { resolveOptions } from './options.js';
import type { OpenedLog } from './read-log.js';
import { RESTATEMENT } from './state-item.js';

/**
 * Opens the log in a folder, or begins one. Settles when everything in it was checked.
 *
 * @throws FileLogError `LOG_INVALID_OPTION`, `LOG_IN_USE`, `LOG_FOLDER_UNUSABLE`, `LOG_FOREIGN_FILE`,
 * `LOG_VERSION_UNSUPPORTED`; then nothing that was in the folder has changed
 */
export async function openFileEventLog(
  deps: FileEventLogDeps,
  options: FileEventLogOptions,
): Promise<FileEventLog> {
  const resolved = resolveOptions(options);
  const { clock, logger, ids } = deps;
  const disk = deps.disk ?? createNodeDisk(resolved.directory);
  const sinceMs = clock.monotonicMs();
  const release = await disk.lock();
  let opened: OpenedLog | undefined;
  try {
    opened = openLog({ disk, clock, logger, newEpoch: () => ids.eventId() });
    const { segments } = opened;
    const parts = createLogParts({ ...deps, disk }, resolved, opened);
    if (resolved.fsync === 'never') {
      for (const segment of segments.all()) parts.syncer.found(segment);
    } else {
      // A log that is begun has its epoch from now on, whatever happens to the machine.
      await segments.active?.file.sync();
      for (const segment of segments.all()) if (segment !== segments.active) parts.syncer.found(segment);
      await parts.syncer.sync();
    }
    await disk.syncDirectory();
    const openMs = clock.monotonicMs() - sinceMs;
    const log = new DurableEventLog({ ...parts, ...opened, clock, openMs, release });
    log.start();
    return log;
  } catch (error) {
    opened?.segments.close();
    await release();
    throw error instanceof FileLogError ? error : folderUnusable(resolved.directory, error);
  }
}

interface OpenParts extends LogParts, OpenedLog {
  readonly clock: Clock;
  readonly openMs: number;
  /** Gives the folder back. */
  readonly release: () => Promise<void>;
}

class DurableEventLog implements FileEventLog {
  readonly #parts: OpenParts;
  #closing: Promise<void> | undefined;

  constructor(parts: OpenParts) {
    this.#parts = parts;
  }

  /** Goes on with what an earlier process left undone. */
  start(): void {
    const { compaction, retention, shortened, change } = this.#parts;
    compaction.resumeErasures();
    compaction.consider();
    for (const user of shortened) {
      // If the disk does not take it now: the damage is still there, and is found again by the next start.
      change(user, RESTATEMENT).catch(() => undefined);
    }
    retention.start();
  }

  append(
    userId: UserId,
    drafts: readonly EventDraft[],
    options: { readonly producer?: Producer } = {},
  ): Promise<AppendResult> {
    try {
      this.#requireOpen();
      if (drafts.length === 0) throw emptyAppend();
      const { users, appends, writer } = this.#parts;
      const item = new AppendItem({ user: users.open(userId), drafts, producer: options.producer }, appends);
      writer.submit(item);
      // As it is: an async function would settle later than the wake comes.
      return item.settled;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async read(userId: UserId, request: ReadRequest): Promise<ReadResult> {
    this.#requireOpen();
    const { users, retention, reader } = this.#parts;
    return reader.read(retention.expire(users.get(userId)), request);
  }

  async stream(userId: UserId): Promise<StreamInfo> {
    this.#requireOpen();
    const { users, retention, reader } = this.#parts;
    return reader.info(retention.expire(users.get(userId)));
  }

  subscribe(userId: UserId, onWake: (batch?: EncodedBatch) => void): Unsubscribe {
    if (this.#closing !== undefined) return () => undefined;
    return this.#parts.hub.subscribe(userId, onWake);
  }

  async openRuns(userId?: UserId): Promise<readonly OpenRun[]> {
    this.#requireOpen();
    const { users, reader } = this.#parts;
    const asked = userId === undefined ? [...users.all()] : [users.get(userId)];
    return asked.flatMap((user) => reader.openRuns(user));
  }

  async erase(userId: UserId, { threadId }: { readonly threadId: ThreadId }): Promise<number> {
    this.#requireOpen();
    const { users, erasures } = this.#parts;
    const user = users.find(userId);
    if (user === undefined) return 0;
    user.holds += 1;
    try {
      return await eraseThread(user, threadId, { ...erasures, requireOpen: () => this.#requireOpen() });
    } finally {
      user.holds -= 1;
    }
  }

  async trim(userId: UserId, { before }: { readonly before: number }): Promise<void> {
    this.#requireOpen();
    const { users, reader, retention, change } = this.#parts;
    const asked = users.find(userId);
    if (asked === undefined) return;
    await change(asked, {
      next: (state, user) => {
        const first = Math.min(before, user.head + 1);
        if (!(first > user.first)) return undefined;
        return { ...state, first, baseId: reader.idAt(user, first - 1) ?? null };
      },
      apply: (user) => retention.trim(user, before),
    });
  }

  stats(): FileEventLogStats {
    return logStats(this.#parts);
  }

  async compact(): Promise<void> {
    this.#requireOpen();
    try {
      await this.#parts.compaction.run();
    } catch (cause) {
      if (cause instanceof EventLogError) throw cause;
      const code = codeOf(cause);
      throw new EventLogError('LOG_WRITE_FAILED', `The disk did not let the log be compacted (${code}).`, {
        cause,
        details: { code },
      });
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#release();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #release(): Promise<void> {
    const { retention, compaction, writer, hub, syncer, segments, release } = this.#parts;
    retention.close();
    await compaction.close();
    await writer.settled();
    await hub.drained();
    hub.close();
    await syncer.close();
    segments.close();
    await release();
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw new EventLogError('LOG_CLOSED', 'The event log is closed.');
  }
}

function emptyAppend(): EventLogError {
  return new EventLogError('EMPTY_APPEND', 'An append has at least one draft.');
}
