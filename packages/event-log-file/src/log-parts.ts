import { createWakeHub, type WakeHub } from '@runwire/event-log';
import { createEventEncoder } from '@runwire/protocol';
import type { AppendContext, AppendItem } from './append-item.js';
import { Compaction } from './compaction.js';
import type { FileEventLogDeps } from './contract.js';
import type { LogDisk } from './disk.js';
import { DiskMeter } from './disk-meter.js';
import type { EraseDeps } from './erase.js';
import { GroupWriter } from './group-writer.js';
import type { ResolvedFileEventLogOptions } from './options.js';
import type { OpenedLog } from './read-log.js';
import { RecordReader } from './record-reader.js';
import { Retention } from './retention.js';
import { RESTATEMENT, type StateChange, type StateContext, StateItem } from './state-item.js';
import { StreamReader } from './stream-reader.js';
import { Syncer } from './syncer.js';
import type { UserLog } from './user-log.js';

/** What a log is put together from. */
export interface LogParts {
  readonly reader: StreamReader;
  readonly meter: DiskMeter;
  readonly syncer: Syncer;
  readonly writer: GroupWriter;
  readonly hub: WakeHub;
  readonly retention: Retention;
  readonly compaction: Compaction;
  /** What every append shares. */
  readonly appends: AppendContext;
  /** What every erasure shares. */
  readonly erasures: EraseDeps;
  /** Changes a user's stream in its turn. Settles to whether there was anything to change. */
  readonly change: (user: UserLog, change: StateChange) => Promise<boolean>;
}

/** Builds the parts of an opened log and connects them. Starts nothing. */
export function createLogParts(
  deps: FileEventLogDeps & { readonly disk: LogDisk },
  options: ResolvedFileEventLogOptions,
  opened: OpenedLog,
): LogParts {
  const { clock, logger, ids, disk } = deps;
  const { segments, users, damage } = opened;
  const { epoch } = segments;
  const meter = new DiskMeter({ clock, logger }, options.slowDiskMs);
  const syncer = new Syncer(
    { clock, meter, segments },
    options.fsync === 'interval' ? options.fsyncIntervalMs : undefined,
  );
  const at = createLogTime(clock.nowMs.bind(clock), opened.lastAt);
  const syncsEachGroup = options.fsync === 'always';
  const writer = new GroupWriter(
    { clock, segments, meter, at, onWritten: (segment) => syncsEachGroup || syncer.wrote(segment) },
    { maxSegmentBytes: options.maxSegmentBytes, maxWaiting: options.maxWaitingAppends, syncsEachGroup },
  );
  const reader = new StreamReader({ epoch, records: new RecordReader(segments), damage, giveUp });
  const retention = new Retention(
    {
      clock,
      users,
      page: (...request) => reader.page(...request),
      onDropped: () => compaction.consider(),
      mayRest: () => !compaction.isRunning,
    },
    { perUser: options.retention, maxTotalBytes: options.maxTotalBytes },
  );
  const compaction = new Compaction({
    clock,
    logger,
    disk,
    segments,
    users,
    reader,
    writer,
    syncer,
    maxSegmentBytes: options.maxSegmentBytes,
    restate: (user) => change(user, RESTATEMENT),
  });
  const hub = createWakeHub({
    logger,
    source: {
      epoch,
      positionOf: (userId) => users.get(userId),
    },
  });
  const monotonicMs = clock.monotonicMs.bind(clock);
  const states: StateContext = { monotonicMs, idAt: (user, seq) => reader.idAt(user, seq) };
  const appends: AppendContext = {
    epoch,
    ids,
    encoder: createEventEncoder(),
    maxEventBytes: options.maxEventBytes,
    observer: deps.observer,
    appended,
  };
  const erasures: EraseDeps = {
    clock,
    reader,
    segments,
    syncer,
    meter,
    change,
    erased: (user, numbers) => {
      hub.changed(user.userId);
      compaction.erased(user, numbers);
    },
    isForced: options.fsync !== 'never',
  };
  return { reader, meter, syncer, writer, hub, retention, compaction, appends, erasures, change };

  function appended(user: UserLog, append: AppendItem): void {
    retention.appended(user, append.at);
    hub.announce(user.userId, append);
  }

  function change(user: UserLog, what: StateChange): Promise<boolean> {
    const item = new StateItem(user, what, states);
    writer.submit(item);
    return item.done;
  }

  function giveUp(user: UserLog, before: number): void {
    retention.trim(user, before);
    user.holds += 1;
    // Not from within what is being written just now. Until it is written, the next start finds the damage again.
    clock.nextTurn(() => {
      user.holds -= 1;
      change(user, RESTATEMENT).catch((cause: unknown) => {
        logger.warn({ err: cause }, 'What is left of a damaged stream could not be written down.');
      });
    });
  }
}

/** Epoch milliseconds that never go back, not even behind what an earlier process wrote. */
function createLogTime(nowMs: () => number, lastAt: number): () => number {
  let last = lastAt;
  return () => {
    last = Math.max(last, nowMs());
    return last;
  };
}
