import { AsyncResource } from 'node:async_hooks';
import { join, resolve } from 'node:path';
import { createMemoryEventLog, type EventLog } from '@runwire/event-log';
import {
  createNodeDisk,
  type FileEventLogDeps,
  type FileEventLogStats,
  openFileEventLog,
} from '@runwire/event-log-file';
import type { Clock } from '@runwire/kernel';
import type { Decorate } from '../composition/decorate.js';
import type { LogConfig, ServerConfig } from '../config/environment.js';

/** The opened log. */
export interface OpenedEventLog {
  readonly log: EventLog;
  /** What the disk under it does; undefined for a log in memory. */
  readonly stats: () => FileEventLogStats | undefined;
}

/**
 * Opens the log of the data folder, or begins one; or one in memory, as configured.
 *
 * @throws Error naming the folder, what is wrong with it and what to do
 */
export async function openEventLog(
  deps: Omit<FileEventLogDeps, 'disk'>,
  config: ServerConfig,
  decorate: Pick<Decorate, 'log' | 'disk' | 'maxSegmentBytes'>,
): Promise<OpenedEventLog> {
  const { log } = config;
  const opened =
    log.kind === 'memory'
      ? openInMemory(deps, config)
      : await openInFolder(deps, { ...config, log }, decorate);
  return { ...opened, log: decorate.log?.(opened.log) ?? opened.log };
}

function openInMemory(deps: Omit<FileEventLogDeps, 'disk'>, config: ServerConfig): OpenedEventLog {
  return { log: createMemoryEventLog(deps, limitsOf(config)), stats: () => undefined };
}

async function openInFolder(
  deps: Omit<FileEventLogDeps, 'disk'>,
  config: ServerConfig & { readonly log: LogConfig & { readonly kind: 'file' } },
  decorate: Pick<Decorate, 'disk' | 'maxSegmentBytes'>,
): Promise<OpenedEventLog> {
  const directory = join(resolve(config.dataDirectory), 'events');
  const { fsync, maxTotalBytes } = config.log;
  const { maxSegmentBytes } = decorate;
  try {
    const disk = createNodeDisk(directory);
    const log = await openFileEventLog(
      { ...deps, clock: outsideOfRuns(deps.clock), disk: decorate.disk?.(disk) ?? disk },
      {
        directory,
        fsync,
        maxTotalBytes,
        ...(maxSegmentBytes === undefined ? {} : { maxSegmentBytes }),
        ...limitsOf(config),
      },
    );
    deps.logger.debug({ ...log.stats() }, 'event log open');
    return { log, stats: () => log.stats() };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the event log in ${directory} cannot be opened: ${reason}`, { cause });
  }
}

/**
 * The log tidies up for everybody, by timers that begin with somebody's append: they belong to no run, neither
 * its context nor its memory.
 */
function outsideOfRuns(clock: Clock): Clock {
  const start = new AsyncResource('event log');
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    setTimer: (delayMs, run) => start.runInAsyncScope(() => clock.setTimer(delayMs, run)),
    nextTurn: (run) => clock.nextTurn(run),
  };
}

/** How much of each user is kept, and how large an event may be. */
function limitsOf({ limits }: ServerConfig) {
  const { retentionMs, retentionEvents, retentionBytes, maxEventBytes } = limits;
  return {
    retention: { maxAgeMs: retentionMs, maxEvents: retentionEvents, maxBytes: retentionBytes },
    maxEventBytes,
  };
}
