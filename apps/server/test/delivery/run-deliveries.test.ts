import { describe, expect, it } from '@jest/globals';
import { createIdGenerator, type RunId, type UserId } from '@runwire/id-generation';
import { createManualClock } from '@runwire/kernel/testing';
import { RunDeliveries, type RunDeliveriesOptions } from '../../src/delivery/run-deliveries.js';

function createFixture(options: RunDeliveriesOptions = {}) {
  const clock = createManualClock();
  const ids = createIdGenerator({ clock });
  const deliveries = new RunDeliveries(clock, options);
  const heads = new Map<UserId, number>();
  return {
    clock,
    ids,
    deliveries,
    /** Appends what a run ends with, two events; gives the run. */
    end: (userId: UserId, { duplicate = false } = {}): RunId => {
      const firstSeq = (heads.get(userId) ?? 0) + 1;
      heads.set(userId, firstSeq + 1);
      const threadId = ids.threadId();
      const runId = ids.runId(threadId);
      const messageId = ids.messageId();
      const completed = { agent: 'a', messageId, status: 'completed', durationMs: 1 } as const;
      deliveries.noteAppended({
        userId,
        drafts: [
          { type: 'agent_thinking', threadId, runId, data: { agent: 'a', text: 'x' } },
          { type: 'agent_completed', threadId, runId, data: completed },
        ],
        result: { epoch: 'e', firstSeq, lastSeq: firstSeq + 1, lastId: ids.eventId(), duplicate },
      });
      return runId;
    },
  };
}

describe('the deliveries of runs', () => {
  it('[BR-9] tell which connections applied the last event of a run, and when', async () => {
    const { clock, ids, deliveries, end } = createFixture();
    const userId = ids.userId();
    const [one, two] = [ids.connectionId(), ids.connectionId()];
    const runId = end(userId);
    const appendedAtMs = clock.nowMs();
    expect(deliveries.find(userId, runId)).toEqual({
      userId,
      runId,
      lastSeq: 2,
      appendedAtMs,
      appliedBy: [],
    });
    await clock.advance(5);
    deliveries.noteAcked({ userId, connectionId: one, seq: 1, events: 1, waitedMs: 5 });
    expect(deliveries.find(userId, runId)?.appliedBy).toEqual([]);
    deliveries.noteAcked({ userId, connectionId: one, seq: 2, events: 1, waitedMs: 5 });
    await clock.advance(7);
    deliveries.noteAcked({ userId, connectionId: two, seq: 9, events: 9, waitedMs: 5 });
    deliveries.noteAcked({ userId, connectionId: one, seq: 9, events: 7, waitedMs: 5 });
    expect(deliveries.find(userId, runId)?.appliedBy).toEqual([
      { connectionId: one, appliedAtMs: appendedAtMs + 5 },
      { connectionId: two, appliedAtMs: appendedAtMs + 12 },
    ]);
  });

  it('[BR-9] do not know when a repeated end was appended first, and who applied it since', () => {
    const { clock, ids, deliveries, end } = createFixture();
    const [userId, connectionId] = [ids.userId(), ids.connectionId()];
    const runId = end(userId, { duplicate: true });
    deliveries.noteAcked({ userId, connectionId, seq: 2, events: 2, waitedMs: 5 });
    expect(deliveries.find(userId, runId)).toMatchObject({
      appendedAtMs: null,
      appliedBy: [{ connectionId, appliedAtMs: clock.nowMs() }],
    });
  });

  it('count an acknowledgement for every run that it covers, and once', () => {
    const { ids, deliveries, end } = createFixture();
    const userId = ids.userId();
    const runs = [end(userId), end(userId), end(userId)];
    const connectionId = ids.connectionId();
    deliveries.noteAcked({ userId, connectionId, seq: 4, events: 4, waitedMs: 1 });
    // After a resync it acknowledges again what it had.
    deliveries.noteAcked({ userId, connectionId, seq: 4, events: 2, waitedMs: 1 });
    expect(runs.map((runId) => deliveries.find(userId, runId)?.appliedBy.length)).toEqual([1, 1, 0]);
  });

  it("are the user's own", () => {
    const { ids, deliveries, end } = createFixture();
    const [owner, other] = [ids.userId(), ids.userId()];
    const runId = end(owner);
    deliveries.noteAcked({ userId: other, connectionId: ids.connectionId(), seq: 9, events: 9, waitedMs: 1 });
    expect(deliveries.find(owner, runId)?.appliedBy).toEqual([]);
    expect(deliveries.find(other, runId)).toBeUndefined();
  });

  it('are remembered up to a number of runs: the one that ended first goes', () => {
    const { ids, deliveries, end } = createFixture({ maxRuns: 3 });
    const [one, two] = [ids.userId(), ids.userId()];
    const runs = [
      [one, end(one)],
      [two, end(two)],
      [one, end(one)],
    ] as const;
    expect(runs.map(([userId, runId]) => deliveries.find(userId, runId) !== undefined)).toEqual([
      true,
      true,
      true,
    ]);
    end(two);
    expect(runs.map(([userId, runId]) => deliveries.find(userId, runId) !== undefined)).toEqual([
      false,
      true,
      true,
    ]);
    expect(deliveries.size).toBe(3);
    deliveries.noteAcked({
      userId: one,
      connectionId: ids.connectionId(),
      seq: 4,
      events: 4,
      waitedMs: undefined,
    });
    expect(deliveries.find(one, runs[2][1])?.appliedBy).toHaveLength(1);
  });

  it('record up to a number of connections of one run', () => {
    const { ids, deliveries, end } = createFixture({ maxConnectionsPerRun: 2 });
    const userId = ids.userId();
    const runId = end(userId);
    const connections = [1, 2, 3].map(() => ids.connectionId());
    for (const connectionId of connections)
      deliveries.noteAcked({ userId, connectionId, seq: 2, events: 2, waitedMs: 1 });
    const appliedBy = deliveries.find(userId, runId)?.appliedBy.map(({ connectionId }) => connectionId);
    expect(appliedBy).toEqual(connections.slice(0, 2));
  });
});
