import { Buffer } from 'node:buffer';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { createDeferred } from '@runwire/kernel';
import { DEFAULT_BRIDGE_OPTIONS } from '../src/index.js';
import { range } from './support/harness.js';
import { setUpRun } from './support/recorded-run.js';

const { maxPendingBytes, maxUnawaitedBytes, maxLoggedBytesPerSecond } = DEFAULT_BRIDGE_OPTIONS.emit;
const FLOOD = 100_000;

describe('a run that floods', () => {
  it('and awaits has no more under way than the pending limit, and is as fast as its budget', async () => {
    const { emitter, messageId, appends, clock } = setUpRun();
    const run = emitter();
    let emitted = 0;
    let isOver = false;
    // Each fills a delta: none of them waits to be rolled up.
    const text = 'x'.repeat(16_384);
    const flood = (async () => {
      for (let n = 0; n < FLOOD; n += 1) {
        await run.agentDelta({ messageId, part: 0, kind: 'text', text });
        emitted += 1;
      }
      isOver = true;
    })();
    const logged = (): number => {
      const drafts = appends.flatMap((append) => append.drafts);
      return drafts.reduce((sum, draft) => sum + Buffer.byteLength(JSON.stringify(draft)) + 256, 0);
    };
    for (let second = 1; second <= 3; second += 1) {
      for (let ms = 0; ms < 1_000; ms += 10) {
        await clock.advance(10);
        // The loop goes on until it has to wait.
        await turn();
      }
      expect(logged()).toBeLessThanOrEqual((second + 1) * maxLoggedBytesPerSecond + 262_144);
      expect(logged()).toBeGreaterThan(second * maxLoggedBytesPerSecond);
      const events = appends.reduce((sum, { drafts }) => sum + drafts.length, 0);
      expect((emitted - events) * text.length).toBeLessThanOrEqual(maxPendingBytes);
    }
    expect(isOver).toBe(false);
    run.close();
    await expect(flood).rejects.toMatchObject({ code: 'EMITTER_CLOSED' });
  });

  it('with 100,000 deltas in a second makes some hundred events of them, and keeps the text', async () => {
    const { emitter, messageId, stored, clock } = setUpRun();
    const run = emitter();
    let text = '';
    for (let n = 0; n < FLOOD; n += 1) {
      const piece = `${n} `;
      text += piece;
      await run.agentDelta({ messageId, part: 0, kind: 'text', text: piece });
      if (n % 1_000 === 999) await clock.advance(10);
    }
    await run.flush();
    const events = await stored();
    expect(events.map((event) => (event.type === 'agent_delta' ? event.data.text : '')).join('')).toBe(text);
    expect(events.length).toBeLessThan(100);
    run.close();
  });

  it.each([
    ['at the limit goes on', 100_000, 'EMITTER_CLOSED'],
    ['above the limit fails', 100_001, 'EMIT_OVERFLOW'],
  ])('and awaits nothing %s', async (_title, bytes, code) => {
    const { emitter, control } = setUpRun({ options: { emit: { maxUnawaitedBytes: 100_000 } } });
    control.gate = createDeferred().promise;
    const run = emitter();
    const { threadId, runId } = run.context;
    const empty = { type: 'agent_thinking', threadId, runId, data: { agent: 'a', text: '' } };
    const overhead = Buffer.byteLength(JSON.stringify(empty)) + 256;
    const sizes = [...range(1, 9).map(() => 10_000), bytes - 90_000];
    const emitted = sizes.map((size) => run.agentThinking({ agent: 'a', text: 'x'.repeat(size - overhead) }));
    run.close();
    await expect(emitted.at(-1)).rejects.toMatchObject({ code });
  });

  it.each([
    ['as many parts as are allowed goes on', 50, undefined],
    ['one part more fails with EMIT_OVERFLOW', 51, 'EMIT_OVERFLOW'],
  ])('with %s', async (_title, parts, code) => {
    const { emitter, delta, stored, clock } = setUpRun({ options: { emit: { maxParts: 50 } } });
    const run = emitter();
    const emitted = range(1, parts).map((part) => run.agentDelta(delta('x', part)));
    const [last] = (await Promise.allSettled(emitted)).slice(-1);
    expect(last).toMatchObject(code === undefined ? { status: 'fulfilled' } : { reason: { code } });
    // A part that is known goes on for ever.
    const more = run.agentDelta(delta('y', 50)).then(() => run.flush());
    await (code === undefined ? more : expect(more).rejects.toMatchObject({ code }));
    await clock.settle();
    expect((await stored()).length).toBe(code === undefined ? 51 : 0);
    run.close();
  });

  it('keeps nothing of what it emits after it has failed', async () => {
    const { emitter, control, delta, appends } = setUpRun();
    const gate = createDeferred();
    control.gate = gate.promise;
    const run = emitter();
    const megabyte = 'x'.repeat(1_000_000);
    const rejected: unknown[] = [];
    for (const part of range(1, 200)) {
      run.agentDelta(delta(megabyte, part)).catch((cause: unknown) => rejected.push(cause));
    }
    await expect(run.agentDelta(delta('late'))).rejects.toMatchObject({
      code: 'EMIT_OVERFLOW',
      details: { maxUnawaitedBytes },
    });
    // All but the first, for which there was room, had to wait for it, and learn it as well.
    expect(rejected).toHaveLength(199);
    gate.resolve();
    await run.flush().catch(() => undefined);
    const drafts = appends.flatMap((append) => append.drafts);
    expect(Buffer.byteLength(JSON.stringify(drafts))).toBeLessThan(maxPendingBytes);
    run.close();
  });

  it('leaves the run of another user, and the next run of its own user, alone', async () => {
    const { emitter, delta, ids, started, stored, clock } = setUpRun();
    const flooding = emitter();
    for (const part of range(1, 40)) void flooding.agentDelta(delta('x'.repeat(1_000_000), part));
    await expect(flooding.agentThinking({ agent: 'a', text: 'x' })).rejects.toMatchObject({
      code: 'EMIT_OVERFLOW',
    });
    const stranger = emitter(ids.userId());
    await stranger.agentThinking({ agent: 'a', text: 'at once' });
    stranger.close();
    await flooding[Symbol.asyncDispose]();
    const next = emitter();
    const begun = next.agentStarted(started);
    await clock.advance(2_000);
    await begun;
    expect((await stored()).at(-1)).toMatchObject({ type: 'agent_started', runId: next.context.runId });
    next.close();
  });
});

describe('values too large for an event', () => {
  it('do not count as emitted without awaiting while they are being stored, however large', async () => {
    const gate = createDeferred<string>();
    const largeValues = { storeResult: () => gate.promise, storeToolOutput: () => gate.promise };
    const { emitter, stored } = setUpRun({ deps: { largeValues } });
    const run = emitter();
    const output = 'x'.repeat(maxUnawaitedBytes);
    const tool = run.toolCompleted({ toolCallId: 't', tool: 't', status: 'success', output, durationMs: 1 });
    const beside = run.agentThinking({ agent: 'a', text: 'beside' });
    gate.resolve('/output');
    await Promise.all([tool, beside]);
    expect((await stored()).map(({ type }) => type)).toEqual(['tool_completed', 'agent_thinking']);
    run.close();
  });
});
