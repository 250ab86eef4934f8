import { describe, expect, it } from '@jest/globals';
import { createIdGenerator } from '@runwire/id-generation';
import { createManualClock } from '@runwire/kernel/testing';
import type { EventDraft } from '@runwire/protocol';
import type { AppendResult, Producer } from '../src/index.js';
import { createUserLedger } from '../src/index.js';
import { Remembered } from '../src/remembered.js';

const DAY_MS = 24 * 60 * 60 * 1_000;
const ids = createIdGenerator({ clock: createManualClock() });
const threadId = ids.threadId();
const runId = ids.runId(threadId);

function resultAt(firstSeq: number, count: number): AppendResult {
  return { epoch: 'e', firstSeq, lastSeq: firstSeq + count - 1, lastId: ids.eventId(), duplicate: false };
}

const start: EventDraft = {
  type: 'agent_started',
  threadId,
  runId,
  data: { agent: 'demo', messageId: 'm', attempt: 1 },
};
const end: EventDraft = {
  type: 'agent_completed',
  threadId,
  runId,
  data: { agent: 'demo', messageId: 'm', status: 'completed', durationMs: 1 },
};

/** A ledger that has recorded `drafts` at `firstSeq` under the run's producer key. */
function recorded(drafts: readonly EventDraft[], firstSeq = 1) {
  const ledger = createUserLedger();
  const producer: Producer = { id: runId, attempt: 1, n: 1 };
  ledger.record({ drafts, producer, result: resultAt(firstSeq, drafts.length) }, 0);
  return { ledger, producer };
}

describe('the user ledger', () => {
  it('forgets an ended run and its producer when 24 hours have passed and its events are gone', () => {
    const { ledger, producer } = recorded([start, end]);
    ledger.forget(3, DAY_MS - 1);
    ledger.forget(2, DAY_MS * 100);
    expect(ledger.admit([start], producer)?.duplicate).toBe(true);
    expect(() => ledger.admit([start], undefined)).toThrow(expect.objectContaining({ code: 'RUN_ENDED' }));
    ledger.forget(3, DAY_MS);
    expect(ledger.isEmpty).toBe(true);
    expect(ledger.admit([start], producer)).toBeUndefined();
  });

  it('takes what was accepted after it was forgotten, as a log sees it that is opened again', () => {
    const { ledger } = recorded([start, end]);
    const known = { id: runId, attempt: 4, n: 1 };
    ledger.record({ drafts: [], producer: known, result: resultAt(3, 1) }, 0);
    const producer = { id: runId, attempt: 2, n: 1 };
    ledger.record({ drafts: [start], producer, result: resultAt(4, 1) }, DAY_MS);
    expect([...ledger.openRuns].map((run) => run.runId)).toEqual([runId]);
    expect(ledger.admit([end], { ...producer, n: 2 })).toBeUndefined();
    expect(ledger.admit([start], producer)?.firstSeq).toBe(4);
    expect(() => ledger.admit([end], { ...producer, attempt: 4, n: 2 })).toThrow(
      expect.objectContaining({ code: 'PRODUCER_GAP' }),
    );
  });

  it('never forgets a run that is open', () => {
    const { ledger } = recorded([start]);
    ledger.forget(1_000, DAY_MS * 100);
    expect([...ledger.openRuns]).toEqual([{ runId, threadId, attempt: 1, startedSeq: 1 }]);
    expect(ledger.isEmpty).toBe(false);
  });

  it('takes the attempt that fences for the highest, when it has not started yet', () => {
    const { ledger } = recorded([start]);
    const producer = { id: runId, attempt: 3, n: 1 };
    ledger.record({ drafts: [start], producer, result: resultAt(2, 1) }, 0);
    expect([...ledger.openRuns]).toEqual([{ runId, threadId, attempt: 3, startedSeq: 1 }]);
  });

  it('remembers of a run that has ended its terminal append alone', () => {
    const { ledger, producer } = recorded([start]);
    const last = { ...producer, n: 2 };
    expect(ledger.admit([start], producer)?.duplicate).toBe(true);
    ledger.record({ drafts: [end], producer: last, result: resultAt(2, 1) }, 0);
    expect(ledger.admit([end], last)?.duplicate).toBe(true);
    expect(() => ledger.admit([start], producer)).toThrow(expect.objectContaining({ code: 'PRODUCER_GAP' }));
  });

  it('changes nothing when it refuses', () => {
    const { ledger } = recorded([start]);
    expect(() => ledger.admit([end, end], { id: runId, attempt: 1, n: 2 })).toThrow();
    expect(() => ledger.admit([end], { id: runId, attempt: 1, n: 7 })).toThrow();
    expect(ledger.admit([end], { id: runId, attempt: 1, n: 2 })).toBeUndefined();
  });

  it('says what was expected and what came', () => {
    const { ledger } = recorded([start]);
    const details = { producer: runId, expected: 2, received: 5 };
    expect(() => ledger.admit([end], { id: runId, attempt: 1, n: 5 })).toThrow(
      expect.objectContaining({ code: 'PRODUCER_GAP', details }),
    );
  });
});

describe('what is remembered', () => {
  it('is bounded: beyond the limit the longest unused is forgotten', () => {
    const remembered = new Remembered<string, number>(3);
    for (const [index, key] of ['a', 'b', 'c'].entries()) {
      remembered.set(key, index, { lastSeq: index + 1, nowMs: 0 });
    }
    remembered.set('a', 9, { lastSeq: 4, nowMs: 0 });
    expect(remembered.size).toBe(3);
    remembered.set('d', 3, { lastSeq: 5, nowMs: 0 });
    expect(['a', 'b', 'c', 'd'].map((key) => remembered.get(key))).toEqual([9, undefined, 2, 3]);
    expect(remembered.size).toBe(3);
  });
});
