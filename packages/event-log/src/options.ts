import { LIMITS } from '@runwire/protocol';
import type { RetentionOptions } from './contract.js';
import { EventLogError } from './errors.js';

/** What the in-memory log lets its owner choose. */
export interface MemoryEventLogOptions {
  /** How much is kept per user. */
  readonly retention?: RetentionOptions;
  /**
   * UTF-8 bytes of one encoded event; then `EVENT_TOO_LARGE`.
   *
   * @defaultValue 262_144 (256 KiB)
   */
  readonly maxEventBytes?: number;
}

/** {@link MemoryEventLogOptions} with every value set and checked. */
export interface ResolvedMemoryEventLogOptions {
  readonly retention: Readonly<Required<RetentionOptions>>;
  readonly maxEventBytes: number;
}

/** What holds where an option is not given: the limits of protocol §7a. */
export const MEMORY_EVENT_LOG_DEFAULTS: ResolvedMemoryEventLogOptions = Object.freeze({
  retention: Object.freeze({
    maxAgeMs: LIMITS.retentionMs,
    maxEvents: LIMITS.retentionEvents,
    maxBytes: LIMITS.retentionBytes,
  }),
  maxEventBytes: LIMITS.maxEventBytes,
});

/** @throws EventLogError `LOG_INVALID_OPTION` naming the option and what it must be */
export function resolveOptions(options: MemoryEventLogOptions = {}): ResolvedMemoryEventLogOptions {
  const defaults = MEMORY_EVENT_LOG_DEFAULTS;
  const retention = { ...defaults.retention, ...options.retention };
  const resolved = { retention, maxEventBytes: options.maxEventBytes ?? defaults.maxEventBytes };
  requirePositive('retention.maxAgeMs', retention.maxAgeMs);
  requirePositive('retention.maxEvents', retention.maxEvents);
  requirePositive('retention.maxBytes', retention.maxBytes);
  requirePositive('maxEventBytes', resolved.maxEventBytes);
  return resolved;
}

function requirePositive(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new EventLogError('LOG_INVALID_OPTION', `${name} must be a whole number from 1 on, not ${value}.`, {
    details: { option: name },
  });
}
