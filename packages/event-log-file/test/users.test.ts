import { describe, expect, it } from '@jest/globals';
import type { UserId } from '@runwire/id-generation';
import fc from 'fast-check';
import { type SleepingUser, SleepingUsers } from '../src/sleeping-users.js';
import type { UserLog } from '../src/user-log.js';
import { Users } from '../src/users.js';

const state = (head: number) => ({ segment: head + 1, offset: head + 2, length: head + 3, first: head + 1 });

describe('users that sleep', () => {
  it('are a map, whatever comes and goes', () => {
    const name = fc.nat(60).map((n) => `user_${n}` as UserId);
    const change = fc.record({ name, head: fc.option(fc.integer({ min: 1, max: 2 ** 32 - 9 })) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 300, size: 'max' }), (changes) => {
        const users = new SleepingUsers();
        const model = new Map<UserId, SleepingUser>();
        for (const one of changes) {
          if (one.head === null) {
            users.delete(one.name);
            model.delete(one.name);
          } else {
            const sleeping = { head: one.head, state: state(one.head), oldestDropped: 7 };
            users.set(one.name, sleeping);
            model.set(one.name, sleeping);
          }
        }
        expect(users.count).toBe(model.size);
        for (let n = 0; n <= 60; n += 1) {
          const userId = `user_${n}` as UserId;
          expect(users.get(userId)).toEqual(model.get(userId));
        }
      }),
    );
  });
});

describe('a user', () => {
  const id = 'user_1' as UserId;
  const empty = (): Users => new Users(() => undefined);

  /** With a head of 9 and nothing that can be read. */
  function atRest(users: Users) {
    const user = users.open(id);
    user.restart(10);
    user.setState(state(9));
    user.oldestDropped = 3;
    return user;
  }

  it('is put to sleep when all is in its state record, and is the same when it wakes', () => {
    const users = empty();
    users.rest(atRest(users));
    expect([users.count, users.awakeCount]).toEqual([1, 0]);
    expect(users.stateOf(id)).toEqual(state(9));
    expect(users.awakeCount).toBe(0);
    expect(users.get(id)).toMatchObject({
      first: 10,
      head: 9,
      reserved: 9,
      state: state(9),
      oldestDropped: 3,
    });
    expect(users.get(id).base).toEqual({ state: state(9) });
    expect([users.count, users.awakeCount]).toEqual([1, 1]);
    expect(users.open(id)).toBe(users.get(id));
  });

  it.each<[string, (user: ReturnType<typeof atRest>) => void]>([
    [
      'is at work',
      (user) => {
        user.holds = 1;
      },
    ],
    ['has records', (user) => user.push({ lastSeq: 10, at: 1, segment: 1, offset: 1, length: 1 })],
    ['has a state record that is not up to date', (user) => user.restart(11)],
    ['has a ledger', (user) => user.ledger.endRunsOf('thr' as never, { lastSeq: 1, nowMs: 1 })],
    ['has erasures under way', (user) => user.erase('thr' as never, 9)],
  ])('stays awake while it %s', (_what, change) => {
    const users = empty();
    const user = atRest(users);
    change(user);
    users.rest(user);
    expect(users.awakeCount).toBe(1);
  });

  it('that never had anything is forgotten, and is not made by looking', () => {
    const users = empty();
    expect(users.get(id)).toMatchObject({ first: 1, head: 0 });
    expect(users.find(id)).toBeUndefined();
    expect(users.count).toBe(0);
    users.rest(users.open(id));
    expect(users.count).toBe(0);
  });

  it('has its state record moved without waking, unless there is a newer one', () => {
    for (const isAsleep of [true, false]) {
      const users = empty();
      const user = atRest(users);
      if (isAsleep) users.rest(user);
      const to = { ...state(9), segment: 1, offset: 99 };
      expect(users.moveState(id, { ...state(9), offset: 5 }, to)).toBe(false);
      expect(users.moveState(id, state(9), to)).toBe(true);
      expect(users.stateOf(id)).toEqual(to);
      expect(users.awakeCount).toBe(isAsleep ? 0 : 1);
    }
    expect(empty().moveState(id, state(1), state(2))).toBe(false);
  });
});

describe('what is counted of all users', () => {
  type Change = (user: UserLog, size: number) => void;
  const CHANGES: Readonly<Record<string, Change>> = {
    push: (user, size) => {
      user.push({ lastSeq: user.head + size, at: 1, segment: 1, offset: user.head, length: size * 10 });
    },
    trim: (user, size) => user.trim(user.first + size),
    trimEvent: (user, size) => {
      const record = user.record(0);
      if (record !== undefined && user.first < record.lastSeq) user.trimEvent(Math.min(size, 9));
    },
    move: (user, size) => {
      const record = user.record(user.recordCount >> 1);
      if (record !== undefined) user.move(record.lastSeq, { segment: 2, offset: size, length: size });
    },
    restart: (user, size) => user.restart(user.head + size),
    state: (user) => user.setState({ segment: 1, offset: 1, length: 1, first: user.first }),
  };
  const change = fc.record({
    user: fc.nat(3),
    what: fc.constantFrom('push', 'push', 'push', 'push', ...Object.keys(CHANGES), 'rest'),
    size: fc.integer({ min: 1, max: 40 }),
  });

  it('is what a walk over them finds, whatever happens to them', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 400, size: 'max' }), (changes) => {
        const users = new Users(() => undefined);
        for (const { user, what, size } of changes) {
          const one = users.open(`user_${user}` as UserId);
          if (what === 'rest') users.rest(one);
          else CHANGES[what]?.(one, size);
          const all = [...users.all()];
          const sum = (of: (user: UserLog) => number) => all.reduce((total, each) => total + of(each), 0);
          expect([users.records, users.indexBytes, users.bytes]).toEqual([
            sum(({ recordCount }) => recordCount),
            sum(({ indexBytes }) => indexBytes),
            sum(({ bytes }) => bytes),
          ]);
        }
      }),
    );
  });
});
