import { describe, expect, it } from '@jest/globals';
import type { CursorAction, CursorEvent, CursorState } from '../src/cursor-state.js';
import { nextCursorStep } from '../src/cursor-state.js';

const STATES = {
  live: { kind: 'live' },
  reading: { kind: 'reading', woken: false },
  woken: { kind: 'reading', woken: true },
  waiting: { kind: 'waiting' },
  closed: { kind: 'closed' },
} as const satisfies Record<string, CursorState>;

const EVENTS = {
  wakePushable: { type: 'wake', pushable: true, room: true },
  wakeRoom: { type: 'wake', pushable: false, room: true },
  wakeFull: { type: 'wake', pushable: false, room: false },
  pageHeadRoom: { type: 'page', atHead: true, room: true },
  pageHeadFull: { type: 'page', atHead: true, room: false },
  pageMoreRoom: { type: 'page', atHead: false, room: true },
  pageMoreFull: { type: 'page', atHead: false, room: false },
  room: { type: 'room' },
  move: { type: 'move' },
  close: { type: 'close' },
} as const satisfies Record<string, CursorEvent>;

type StateName = keyof typeof STATES;
type EventName = keyof typeof EVENTS;

const TABLE: Record<StateName, Record<EventName, readonly [StateName, CursorAction]>> = {
  live: {
    wakePushable: ['live', 'push'],
    wakeRoom: ['reading', 'read'],
    wakeFull: ['waiting', 'none'],
    pageHeadRoom: ['live', 'none'],
    pageHeadFull: ['live', 'none'],
    pageMoreRoom: ['live', 'none'],
    pageMoreFull: ['live', 'none'],
    room: ['live', 'none'],
    move: ['reading', 'locate'],
    close: ['closed', 'release'],
  },
  reading: {
    wakePushable: ['woken', 'none'],
    wakeRoom: ['woken', 'none'],
    wakeFull: ['woken', 'none'],
    pageHeadRoom: ['live', 'none'],
    pageHeadFull: ['live', 'none'],
    pageMoreRoom: ['reading', 'read'],
    pageMoreFull: ['waiting', 'none'],
    room: ['reading', 'none'],
    move: ['reading', 'locate'],
    close: ['closed', 'release'],
  },
  woken: {
    wakePushable: ['woken', 'none'],
    wakeRoom: ['woken', 'none'],
    wakeFull: ['woken', 'none'],
    pageHeadRoom: ['reading', 'read'],
    pageHeadFull: ['waiting', 'none'],
    pageMoreRoom: ['reading', 'read'],
    pageMoreFull: ['waiting', 'none'],
    room: ['woken', 'none'],
    move: ['reading', 'locate'],
    close: ['closed', 'release'],
  },
  waiting: {
    wakePushable: ['waiting', 'none'],
    wakeRoom: ['waiting', 'none'],
    wakeFull: ['waiting', 'none'],
    pageHeadRoom: ['waiting', 'none'],
    pageHeadFull: ['waiting', 'none'],
    pageMoreRoom: ['waiting', 'none'],
    pageMoreFull: ['waiting', 'none'],
    room: ['reading', 'read'],
    move: ['reading', 'locate'],
    close: ['closed', 'release'],
  },
  closed: {
    wakePushable: ['closed', 'none'],
    wakeRoom: ['closed', 'none'],
    wakeFull: ['closed', 'none'],
    pageHeadRoom: ['closed', 'none'],
    pageHeadFull: ['closed', 'none'],
    pageMoreRoom: ['closed', 'none'],
    pageMoreFull: ['closed', 'none'],
    room: ['closed', 'none'],
    move: ['closed', 'none'],
    close: ['closed', 'none'],
  },
};

describe('the cursor machine', () => {
  for (const from of Object.keys(TABLE) as StateName[]) {
    for (const event of Object.keys(TABLE[from]) as EventName[]) {
      const [to, action] = TABLE[from][event];
      it(`goes from ${from} on ${event} to ${to}, doing ${action}`, () => {
        expect(nextCursorStep(STATES[from], EVENTS[event])).toEqual({ state: STATES[to], action });
      });
    }
  }
});
