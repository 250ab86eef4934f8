import { describe, expect, it } from '@jest/globals';
import { auditUsers } from '../harness/audit.js';
import { type BareMessage, createHarness, type HttpUser } from '../harness/index.js';
import type { Recording } from '../harness/recording.js';

/** A recording as a client could have made it that got this. */
function recordingOf(
  user: HttpUser,
  events: readonly BareMessage[],
  changes: Partial<Recording> = {},
): Recording {
  const appliedSeq = Math.max(0, ...events.map(({ seq = 0 }) => seq));
  const rest = { accepted: [], resets: 0, gaps: 0, epoch: undefined, follows: false, appliedSeq };
  return { label: 'made up', user, events, ...rest, ...changes };
}

const NOTHING = { lost: 0, duplicated: 0, reordered: 0, foreign: 0, problems: [] };

describe('the audit', () => {
  it('finds what is lost, twice, out of order, foreign, and not there, and nothing where nothing is', async () => {
    await using harness = await createHarness();
    const [user, other] = [await harness.register(), await harness.register()];
    const streams = new Map<HttpUser, readonly BareMessage[]>();
    for (const somebody of [user, other]) {
      const tab = harness.bare(somebody);
      await tab.untilControl('caught_up');
      tab.send({ type: 'chat', content: 'what is 2 + 3 * 4?' });
      await tab.until('the end', ({ type }) => type === 'agent_completed');
      streams.set(somebody, tab.events);
    }
    const own = streams.get(user) ?? [];
    const audit = async (events: readonly BareMessage[], changes?: Partial<Recording>) =>
      await auditUsers(harness.url, [user, other], [recordingOf(user, events, changes)]);

    expect(await audit(own)).toMatchObject({ ...NOTHING, users: 2, runs: 2, applied: own.length });
    const without = [...own.slice(0, 3), ...own.slice(5)];
    expect(await audit(without)).toMatchObject({ lost: 2 });
    expect(await audit(without, { resets: 1 })).toMatchObject(NOTHING);
    expect(await audit(own.slice(0, 4))).toMatchObject(NOTHING);
    expect(await audit(own.slice(0, 4), { follows: true })).toMatchObject({ lost: own.length - 4 });
    expect(await audit(own, { gaps: 3 })).toMatchObject({ lost: 3 });
    expect(await audit([...own, ...own.slice(-2)])).toMatchObject({ duplicated: 2, reordered: 0 });
    const swapped = [...own.slice(0, 3), ...own.slice(4, 5), ...own.slice(3, 4), ...own.slice(5)];
    expect(await audit(swapped, { resets: 2 })).toMatchObject({ duplicated: 0, reordered: 1 });
    const foreign = streams.get(other) ?? [];
    expect(await audit(foreign)).toMatchObject({ foreign: foreign.length });
    const contradicted = own.map((event, index) => (index === 2 ? { ...event, id: 'evt_another' } : event));
    expect(await audit(contradicted)).toMatchObject({ foreign: 1 });
    const invented = [...own, { type: 'agent_error', seq: own.length + 1, id: 'evt_new' }];
    expect(await audit(invented)).toMatchObject({ foreign: 1 });
    const promised = { accepted: [{ runId: 'run_x', threadId: 'thr_x' }] };
    const strangeEpoch = { epoch: 'another' };
    for (const changes of [promised, strangeEpoch]) {
      expect((await audit(own, changes)).problems).toHaveLength(1);
    }
  });
});
