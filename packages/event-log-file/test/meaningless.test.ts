import { describe, expect, it } from '@jest/globals';
import { inspectLog } from '../src/inspect-log.js';
import { lastEvents } from '../src/inspect-tail.js';
import { parseState } from '../src/state-record.js';
import { runStarted } from './support/calls.js';
import { misstate, recordsOn } from './support/layout.js';
import { pick } from './support/plans.js';
import { type Scene, setScene } from './support/scene.js';

const MEANINGLESS = 'The record is valid, and what it says is not.';

const DATA = '"data":{"agent":"demo","messageId":"msg_1","attempt":1}';

/** Makes what a record says nonsense, with a checksum that holds. */
function garble(scene: Scene, index: number, text: string, by: string): void {
  misstate(scene.disk, pick(recordsOn(scene.disk), index), text, by);
}

async function garbledWhileClosed(scene: Scene, index: number, text: string, by: string): Promise<void> {
  await scene.log.close();
  garble(scene, index, text, by);
  await scene.open();
}

describe('a record whose checksum holds and that says what no record says', () => {
  it.each([
    ['no event', '{"type"', '{"tipe"'],
    ['no id', '"id":"evt_', '"no":"evt_'],
    ['an id that does not end', '","at":', '\\","at"'],
  ])('is damage at the latest when it is read, where it has %s', async (_what, text, by) => {
    await using scene = await setScene();
    const { user, other, log } = scene;
    await log.append(user, [scene.said('1')], { producer: { id: 'cmd:1', attempt: 1, n: 1 } });
    await scene.say(user, '2');
    await scene.say(other, 'a');
    await garbledWhileClosed(scene, 0, text, by);
    expect(await scene.resetReason(user, { seq: 0 })).toBe('trimmed');
    expect(await scene.heard(user)).toEqual(['2']);
    expect(await scene.heard(other)).toEqual(['a']);
    expect(scene.log.stats().damage).toMatchObject([{ reason: MEANINGLESS }]);
    expect(scene.logged('error')).toHaveLength(1);
  });

  it.each([
    ['is no JSON', '"data":{"agent', '"data":x"agent'],
    ['has no data', DATA, '"data":null'.padEnd(DATA.length)],
  ])('is damage when a log is opened, where the start of a run %s', async (_what, text, by) => {
    await using scene = await setScene();
    const { user, threadId } = scene;
    const run = { threadId, runId: scene.ids.runId(threadId) };
    await scene.log.append(user, [runStarted(run)]);
    await garbledWhileClosed(scene, 0, text, by);
    expect(scene.log.stats().damage).toMatchObject([{ reason: MEANINGLESS }]);
    expect(await scene.log.openRuns(user)).toEqual([]);
    // Its seq is not given to another event, then or after another start.
    await scene.say(user, '2');
    await scene.reopen();
    expect(await scene.log.stream(user)).toMatchObject({ first: 2, head: 2 });
  });

  it('is damage when a log is opened, where it is a state: what was known before it holds, and its head', async () => {
    await using scene = await setScene({ maxSegmentBytes: 300 });
    const { user } = scene;
    await scene.say(user, '1', '2', '3');
    await scene.log.trim(user, { before: 4 });
    await scene.log.compact();
    expect(recordsOn(scene.disk)).toMatchObject([{ isState: true }]);
    await garbledWhileClosed(scene, 0, '"first":4', '"first":x');
    expect(scene.log.stats().damage).toMatchObject([{ reason: MEANINGLESS }]);
    expect(await scene.log.stream(user)).toMatchObject({ first: 4, head: 3 });
    await scene.say(user, '4');
    expect(await scene.heard(user)).toEqual(['4']);
  });

  it('is damage when it is read, and given up: what comes behind it is served', async () => {
    await using scene = await setScene();
    const { user } = scene;
    await scene.say(user, '1', '2', '3');
    garble(scene, 1, '"seq":2', '"sec":2');
    expect(await scene.resetReason(user, { seq: 0 })).toBe('trimmed');
    expect(scene.log.stats().damage).toMatchObject([{ reason: MEANINGLESS }]);
    expect(await scene.heard(user)).toEqual(['3']);
    await scene.clock.settle();
    await scene.reopen();
    expect(await scene.heard(user)).toEqual(['3']);
  });

  it('tells no id of a head that was given up, though it was read before', async () => {
    await using scene = await setScene();
    const { user } = scene;
    await scene.say(user, '1', '2');
    expect(await scene.heard(user)).toEqual(['1', '2']);
    garble(scene, 1, '"seq":2', '"sec":2');
    expect(await scene.resetReason(user, { seq: 0 })).toBe('trimmed');
    expect(await scene.log.stream(user)).toMatchObject({ first: 3, head: 2, headId: null });
  });

  it('tells no id before the first event, where it is a state, and is reported', async () => {
    await using scene = await setScene({ retention: { maxAgeMs: 1_000 } });
    const { user } = scene;
    await scene.say(user, '1');
    await scene.log.trim(user, { before: 2 });
    await scene.clock.advance(25 * 60 * 60_000);
    const state = recordsOn(scene.disk).findLastIndex(({ isState }) => isState);
    garble(scene, state, '"baseId"', '"baseIx"');
    expect(await scene.log.stream(user)).toMatchObject({ first: 2, head: 1, headId: null });
    expect(scene.log.stats().damage).toMatchObject([{ reason: MEANINGLESS }]);
  });

  it('is left out of a segment that is written anew without what was erased, and reported', async () => {
    await using scene = await setScene();
    const { user, other, threadId } = scene;
    await scene.say(user, 'secret 1');
    await scene.say(other, 'public');
    const kept = scene.ids.threadId();
    await scene.log.append(user, [scene.said('lost', kept)]);
    await scene.log.append(user, [scene.said('kept', kept)]);
    await scene.log.erase(user, { threadId });
    garble(scene, 2, '{"type"', '{"tipe"');
    await scene.log.compact();
    expect(scene.log.stats().damage).toMatchObject([{ reason: MEANINGLESS }]);
    expect(await scene.heard(user)).toEqual(['kept']);
    expect(await scene.heard(other)).toEqual(['public']);
    const all = Buffer.concat(scene.disk.list().map((name) => scene.disk.contents(name)));
    expect([all.includes('secret'), all.includes('public')]).toEqual([false, true]);
    await scene.reopen();
    expect(scene.log.stats().damage).toEqual([]);
    expect(await scene.log.stream(user)).toMatchObject({ first: 3, head: 3 });
  });

  it('is reported by an inspection, which shows the rest', async () => {
    await using scene = await setScene();
    const { user, clock } = scene;
    const producer = { id: 'cmd:1', attempt: 1, n: 1 };
    await scene.log.append(user, [scene.said('1')], { producer });
    await scene.say(user, '2', '3');
    await scene.log.trim(user, { before: 2 });
    await scene.log.close();
    garble(scene, 0, '"id":"evt_', '"no":"evt_');
    garble(scene, 2, '"seq":3', '"sec":3');
    garble(scene, 3, '"first":2', '"first":x');
    const { damage, tail } = inspectLog({ disk: scene.disk, clock }, 'memory', (log) => ({
      damage: log.damage.places,
      tail: lastEvents(log, log.users.all(), 10).map(({ event }) => event.seq),
    }));
    expect(damage).toHaveLength(3);
    expect(tail).toEqual([2]);
    await scene.open();
  });
});

describe('a state', () => {
  const ledger = { producers: [], open: [], ended: [] };

  it.each([
    ['no JSON', '{'],
    ['null', 'null'],
    ['an array', '[]'],
    ['without first', { baseId: null, erasures: [], ledger }],
    ['with an id that is none', { first: 1, baseId: 7, erasures: [], ledger }],
    ['without erasures', { first: 1, baseId: null, ledger }],
    ['without a ledger', { first: 1, baseId: null, erasures: [] }],
    ['with a list of nothing', { first: 1, baseId: null, erasures: [null], ledger }],
    [
      'with a producer without results',
      { first: 1, baseId: null, erasures: [], ledger: { ...ledger, producers: [{}] } },
    ],
  ])('that is %s is refused', (_what, state) => {
    const json = typeof state === 'string' ? state : JSON.stringify(state);
    expect(() => parseState(json)).toThrow(expect.objectContaining({ code: 'LOG_READ_FAILED' }));
  });
});
