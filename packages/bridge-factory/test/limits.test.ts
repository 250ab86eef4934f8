import { describe, expect, it } from '@jest/globals';
import { BridgeError, DEFAULT_BRIDGE_OPTIONS } from '../src/index.js';
import { resolveOptions } from '../src/options.js';
import { ResyncLimit } from '../src/resync-limit.js';

describe('options', () => {
  it('are the limits of the protocol by default', () => {
    expect(resolveOptions()).toEqual(DEFAULT_BRIDGE_OPTIONS);
    expect(DEFAULT_BRIDGE_OPTIONS).toEqual({
      delivery: {
        maxFrameBytes: 16_384,
        maxUnackedBytes: 262_144,
        socketBufferLowBytes: 65_536,
        socketBufferHighBytes: 262_144,
        maxPageEvents: 1_024,
        maxPageBytes: 262_144,
        maxResyncsPerMinute: 6,
      },
      emit: {
        rollupWindowMs: 40,
        maxDeltaTextBytes: 16_384,
        maxParts: 10_000,
        maxEventBytes: 262_144,
        maxAppendBytes: 262_144,
        maxPendingBytes: 1_048_576,
        maxUnawaitedBytes: 16_777_216,
        maxLoggedBytesPerSecond: 8_388_608,
      },
    });
  });

  it('keep the defaults of what is left out', () => {
    const { delivery, emit } = resolveOptions({ delivery: { maxPageEvents: 3 } });
    expect(delivery).toEqual({ ...DEFAULT_BRIDGE_OPTIONS.delivery, maxPageEvents: 3 });
    expect(emit).toEqual(DEFAULT_BRIDGE_OPTIONS.emit);
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuse %d, naming the option', (value) => {
    const refused = () => resolveOptions({ emit: { maxPendingBytes: value } });
    expect(refused).toThrow(BridgeError);
    expect(refused).toThrow('emit.maxPendingBytes');
  });
});

describe('the resync limit', () => {
  it('allows so many in any minute, and says when the next is allowed', () => {
    const limit = new ResyncLimit(2);
    expect(limit.take(0)).toEqual({ allowed: true });
    expect(limit.take(10_000)).toEqual({ allowed: true });
    expect(limit.take(10_000)).toEqual({ allowed: false, retryAfterMs: 50_000 });
    expect(limit.take(59_999.5)).toEqual({ allowed: false, retryAfterMs: 1 });
    expect(limit.take(60_000)).toEqual({ allowed: true });
    expect(limit.take(60_000)).toEqual({ allowed: false, retryAfterMs: 10_000 });
  });
});
