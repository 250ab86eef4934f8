import { describe, expect, it } from '@jest/globals';
import { createIdGenerator } from '@runwire/id-generation';
import { createManualClock, createRecordingLogger } from '@runwire/kernel/testing';
import { decodeServerFrame, type EventDraft, LIMITS } from '@runwire/protocol';
import type { EncodedBatch, MemoryEventLogOptions } from '../src/index.js';
import { createMemoryEventLog, MEMORY_EVENT_LOG_DEFAULTS } from '../src/index.js';

const HOUR_MS = 60 * 60 * 1_000;

function setUp(options?: MemoryEventLogOptions) {
  const clock = createManualClock();
  const ids = createIdGenerator({ clock });
  const log = createMemoryEventLog({ clock, ids, logger: createRecordingLogger() }, options);
  const threadId = ids.threadId();
  const renamed = (title: string): EventDraft => ({ type: 'thread_updated', threadId, data: { title } });
  return { clock, ids, log, threadId, user: ids.userId(), renamed };
}

describe('the in-memory log', () => {
  it('keeps by default what the protocol says', () => {
    expect(MEMORY_EVENT_LOG_DEFAULTS).toEqual({
      retention: { maxAgeMs: 604_800_000, maxEvents: 1_000_000, maxBytes: 268_435_456 },
      maxEventBytes: LIMITS.maxEventBytes,
    });
    expect(Object.isFrozen(MEMORY_EVENT_LOG_DEFAULTS.retention)).toBe(true);
  });

  it.each([
    [{ retention: { maxAgeMs: 0 } }, 'retention.maxAgeMs'],
    [{ retention: { maxEvents: -1 } }, 'retention.maxEvents'],
    [{ retention: { maxBytes: 1.5 } }, 'retention.maxBytes'],
    [{ maxEventBytes: Number.NaN }, 'maxEventBytes'],
  ])('refuses %j and names the option', (options, option) => {
    expect(() => setUp(options)).toThrow(
      expect.objectContaining({ code: 'LOG_INVALID_OPTION', details: { option } }),
    );
  });

  it('serves what clients decode, erased events included', async () => {
    const { log, user, threadId, renamed } = setUp();
    const { epoch } = await log.append(user, [renamed('a'), { type: 'thread_deleted', threadId, data: {} }]);
    await log.erase(user, { threadId });
    const page = await log.read(user, { after: { epoch, seq: 0 }, limitEvents: 9, limitBytes: 9_999 });
    const events = page.kind === 'page' ? page.events.flatMap(({ json }) => decodeServerFrame(json)) : [];
    expect(events.map(({ type }) => type)).toEqual(['erased', 'thread_deleted']);
  });

  it('lets its subscribers read what was erased between its append and the wake', async () => {
    const { log, user, threadId, renamed, clock } = setUp();
    const batches: (EncodedBatch | undefined)[] = [];
    log.subscribe(user, (batch) => batches.push(batch));
    const appended = log.append(user, [renamed('secret')]);
    const erased = log.erase(user, { threadId });
    await Promise.all([appended, erased]);
    await clock.settle();
    expect(batches).toEqual([undefined]);
  });

  it('wakes without a batch when retention has taken part of it', async () => {
    const { log, user, renamed, clock } = setUp({ retention: { maxEvents: 2 } });
    const batches: (EncodedBatch | undefined)[] = [];
    log.subscribe(user, (batch) => batches.push(batch));
    await log.append(user, [renamed('1'), renamed('2'), renamed('3')]);
    await clock.settle();
    expect(batches).toEqual([undefined]);
  });

  it('keeps one timer while there is something to forget, and none otherwise', async () => {
    const { log, user, renamed, clock } = setUp({ retention: { maxAgeMs: 2 * HOUR_MS } });
    await log.stream(user);
    expect(clock.pendingTimers).toBe(0);
    await log.append(user, [renamed('1')], { producer: { id: 'cmd:1', attempt: 1, n: 1 } });
    await log.append(user, [renamed('2')]);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(23 * HOUR_MS);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(2 * HOUR_MS);
    expect(clock.pendingTimers).toBe(0);
    expect(await log.stream(user)).toMatchObject({ first: 3, head: 2 });
    await log.append(user, [renamed('3')]);
    expect(clock.pendingTimers).toBe(1);
  });

  it('goes on tidying while any one of its users has something to forget', async () => {
    const { log, ids, user, renamed, clock } = setUp({ retention: { maxAgeMs: 4 * HOUR_MS } });
    const other = ids.userId();
    await log.append(user, [renamed('1')]);
    await log.append(other, [renamed('1')]);
    await log.trim(other, { before: 2 });
    await clock.advance(3 * HOUR_MS);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(3 * HOUR_MS);
    expect(clock.pendingTimers).toBe(0);
  });

  it('keeps nothing of users who only read, subscribe, trim, erase, or whose appends are refused', async () => {
    const { log, user, threadId, clock } = setUp();
    const { epoch } = await log.stream(user);
    await log.read(user, { after: { epoch, seq: 0 }, limitEvents: 1, limitBytes: 1 });
    log.subscribe(user, () => undefined)();
    await log.trim(user, { before: 9 });
    await log.erase(user, { threadId });
    await expect(log.append(user, [])).rejects.toMatchObject({ code: 'EMPTY_APPEND' });
    expect(await log.stream(user)).toMatchObject({ first: 1, head: 0 });
    expect(clock.pendingTimers).toBe(0);
  });
});
