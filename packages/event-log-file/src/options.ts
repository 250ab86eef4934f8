import type { RetentionOptions } from '@runwire/event-log';
import { LIMITS } from '@runwire/protocol';
import type { FileEventLogOptions, FsyncPolicy } from './contract.js';
import { FileLogError } from './errors.js';

/** {@link FileEventLogOptions} with every value set and checked. */
export interface ResolvedFileEventLogOptions extends Required<FileEventLogOptions> {
  readonly retention: Readonly<Required<RetentionOptions>>;
}

/** What holds where an option is not given. */
export const FILE_EVENT_LOG_DEFAULTS: Omit<ResolvedFileEventLogOptions, 'directory'> = Object.freeze({
  fsync: 'interval',
  fsyncIntervalMs: 1_000,
  retention: Object.freeze({
    maxAgeMs: LIMITS.retentionMs,
    maxEvents: LIMITS.retentionEvents,
    maxBytes: LIMITS.retentionBytes,
  }),
  maxEventBytes: LIMITS.maxEventBytes,
  maxSegmentBytes: 64 * 1_048_576,
  maxTotalBytes: 16 * 1_073_741_824,
  maxWaitingAppends: 65_536,
  slowDiskMs: 500,
});

const POLICIES: readonly FsyncPolicy[] = ['never', 'interval', 'always'];
/** Offsets in a segment are 32-bit numbers. */
const MAX_SEGMENT_BYTES = 2 ** 32 - 1;

/** @throws FileLogError `LOG_INVALID_OPTION` naming the option and what it must be */
export function resolveOptions(options: FileEventLogOptions): ResolvedFileEventLogOptions {
  const defaults = FILE_EVENT_LOG_DEFAULTS;
  const retention = { ...defaults.retention, ...options.retention };
  const resolved = { ...defaults, ...options, retention };
  if (typeof resolved.directory !== 'string' || resolved.directory === '') {
    throw invalid('directory', 'the path of a folder', resolved.directory);
  }
  if (!POLICIES.includes(resolved.fsync)) throw invalid('fsync', POLICIES.join(', '), resolved.fsync);
  const numbers = {
    ...Object.fromEntries(Object.entries(retention).map(([name, value]) => [`retention.${name}`, value])),
    fsyncIntervalMs: resolved.fsyncIntervalMs,
    maxEventBytes: resolved.maxEventBytes,
    maxSegmentBytes: resolved.maxSegmentBytes,
    maxTotalBytes: resolved.maxTotalBytes,
    maxWaitingAppends: resolved.maxWaitingAppends,
    slowDiskMs: resolved.slowDiskMs,
  };
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isSafeInteger(value) || value < 1) throw invalid(name, 'a whole number from 1 on', value);
  }
  if (resolved.maxSegmentBytes > MAX_SEGMENT_BYTES) {
    throw invalid('maxSegmentBytes', `at most ${MAX_SEGMENT_BYTES}`, resolved.maxSegmentBytes);
  }
  return resolved;
}

function invalid(option: string, expected: string, received: unknown): FileLogError {
  return new FileLogError('LOG_INVALID_OPTION', `${option} must be ${expected}, not ${String(received)}.`, {
    details: { option },
  });
}
