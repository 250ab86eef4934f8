import { LIMITS } from '@runwire/protocol';
import { BridgeError } from './errors.js';

/** Limits of the reader side, per connection. */
export interface DeliveryOptions {
  /** Bytes of events in one frame; one larger event goes alone. @defaultValue 16_384 */
  readonly maxFrameBytes?: number;
  /** Bytes in flight to a client that acks. @defaultValue 262_144 */
  readonly maxUnackedBytes?: number;
  /** Below this a socket takes events. @defaultValue 65_536 */
  readonly socketBufferLowBytes?: number;
  /** Events never fill a socket's buffer beyond this. @defaultValue 262_144 */
  readonly socketBufferHighBytes?: number;
  /** Events of a page read from the log. @defaultValue 1_024 */
  readonly maxPageEvents?: number;
  /** Bytes of a page read from the log. @defaultValue 262_144 */
  readonly maxPageBytes?: number;
  /** @defaultValue 6 */
  readonly maxResyncsPerMinute?: number;
}

/** Limits of the writer side. */
export interface EmitOptions {
  /** How long deltas of one part are gathered after one went. @defaultValue 40 */
  readonly rollupWindowMs?: number;
  /** UTF-8 bytes of text in one delta. @defaultValue 16_384 */
  readonly maxDeltaTextBytes?: number;
  /** Parts of all messages of a run: above it the run fails, `EMIT_OVERFLOW`. @defaultValue 10_000 */
  readonly maxParts?: number;
  /** Bytes of an encoded event; a larger `result` or `output` is stored elsewhere. @defaultValue 262_144 */
  readonly maxEventBytes?: number;
  /** Bytes that one append of a run carries; one event may exceed it. @defaultValue 262_144 */
  readonly maxAppendBytes?: number;
  /** Bytes of one run emitted and not yet in the log, above which `agentDelta` waits. @defaultValue 1_048_576 */
  readonly maxPendingBytes?: number;
  /** The same, for a caller that does not wait: above it the run fails, `EMIT_OVERFLOW`. @defaultValue 16_777_216 */
  readonly maxUnawaitedBytes?: number;
  /** Bytes that all runs of one user append in a second. @defaultValue 8_388_608 */
  readonly maxLoggedBytesPerSecond?: number;
}

/** How a bridge factory is set up. Every value is a positive integer. */
export interface BridgeOptions {
  readonly delivery?: DeliveryOptions;
  readonly emit?: EmitOptions;
}

/** {@link BridgeOptions} with every value set. */
export interface ResolvedBridgeOptions {
  readonly delivery: Readonly<Required<DeliveryOptions>>;
  readonly emit: Readonly<Required<EmitOptions>>;
}

/** The defaults: the limits of protocol §7a. */
export const DEFAULT_BRIDGE_OPTIONS: ResolvedBridgeOptions = Object.freeze({
  delivery: Object.freeze({
    maxFrameBytes: LIMITS.maxFrameBytes,
    maxUnackedBytes: LIMITS.maxUnackedBytes,
    socketBufferLowBytes: LIMITS.socketBufferLowBytes,
    socketBufferHighBytes: LIMITS.socketBufferHighBytes,
    maxPageEvents: LIMITS.maxPageEvents,
    maxPageBytes: LIMITS.maxPageBytes,
    maxResyncsPerMinute: LIMITS.maxResyncsPerMinute,
  }),
  emit: Object.freeze({
    rollupWindowMs: 40,
    maxDeltaTextBytes: LIMITS.maxDeltaTextBytes,
    maxParts: 10_000,
    maxEventBytes: LIMITS.maxEventBytes,
    maxAppendBytes: LIMITS.maxPageBytes,
    maxPendingBytes: 1_048_576,
    maxUnawaitedBytes: 16_777_216,
    maxLoggedBytesPerSecond: LIMITS.maxLoggedBytesPerSecond,
  }),
});

/** @throws BridgeError `BRIDGE_INVALID_OPTION` naming the option */
export function resolveOptions(options: BridgeOptions = {}): ResolvedBridgeOptions {
  return Object.freeze({
    delivery: resolveGroup('delivery', DEFAULT_BRIDGE_OPTIONS.delivery, options.delivery),
    emit: resolveGroup('emit', DEFAULT_BRIDGE_OPTIONS.emit, options.emit),
  });
}

function resolveGroup<T extends object>(
  group: string,
  defaults: Readonly<Required<T>>,
  given: T | undefined,
): Readonly<Required<T>> {
  const resolved: Required<T> = { ...defaults };
  for (const name of Object.keys(defaults) as (keyof T & string)[]) {
    const value: unknown = given?.[name];
    if (value === undefined) continue;
    if (!Number.isSafeInteger(value) || Number(value) <= 0) {
      throw new BridgeError('BRIDGE_INVALID_OPTION', `${group}.${name} must be a positive integer.`, {
        details: { option: `${group}.${name}` },
      });
    }
    resolved[name] = value as Required<T>[typeof name];
  }
  return Object.freeze(resolved);
}
