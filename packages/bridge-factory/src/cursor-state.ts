/**
 * The states of one connection's delivery. Pure: what the log and the socket say comes in as an event, what
 * is to be done goes out as an action.
 *
 * ```
 *                  wake, can be pushed → push
 *                        ┌─────┐
 *                        │     ▼   wake, cannot be pushed, room → read
 *  page at head,  ┌──────┴───────┐ ───────────────────────────────────▶ ┌─────────────────┐
 *  nothing new    │     live     │                                      │     reading     │◀─┐ page, more, room
 *  ──────────────▶│  push, turn  │ ◀─────────────────────────────────── │  one read under │  │ → read
 *                 │   by turn    │      page at head, nothing new       │  way; `woken`:  │──┘
 *                 └──────┬───────┘                                      │  new meanwhile  │
 *                        │ wake, no room        ┌─────────────┐         └───┬─────────▲───┘
 *                        └────────────────────▶ │   waiting   │ ◀───────────┘         │
 *                                               │ for an ack  │   page, more, no room │
 *                                               │ or a drain  │ ──────────────────────┘
 *                                               └─────────────┘   room → read
 *
 *  any ── move → locate ──▶ reading          any ── close → release ──▶ closed
 * ```
 *
 * The race between a read at the head and an append: a wake during a read sets `woken`, so the read's "at
 * head" is not believed and the log is read once more. Nothing is lost, and because every read starts at the
 * position behind what was sent, nothing is repeated.
 */
export type CursorState =
  /** At head: events are pushed as they are appended. */
  | { readonly kind: 'live' }
  /** Behind, and one read (or the search for the position itself) is under way. */
  | { readonly kind: 'reading'; readonly woken: boolean }
  /** Behind, until there is room. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'closed' };

/** What happens to a cursor. */
export type CursorEvent =
  /** The log has more. `pushable`: the batch directly follows the position and there is room for it. */
  | { readonly type: 'wake'; readonly pushable: boolean; readonly room: boolean }
  /** The read under way has ended and what fits was sent. */
  | { readonly type: 'page'; readonly atHead: boolean; readonly room: boolean }
  /** An ack or a drain has made room. */
  | { readonly type: 'room' }
  /** The client wants to go on from elsewhere. A read under way is void. */
  | { readonly type: 'move' }
  | { readonly type: 'close' };

/** What is to be done. `locate` finds the new position, which counts as a read under way. */
export type CursorAction = 'none' | 'push' | 'read' | 'locate' | 'release';

/** A state with the action that leads into it. */
export interface CursorStep {
  readonly state: CursorState;
  readonly action: CursorAction;
}

const LIVE: CursorState = Object.freeze({ kind: 'live' });
const READING: CursorState = Object.freeze({ kind: 'reading', woken: false });
const WOKEN: CursorState = Object.freeze({ kind: 'reading', woken: true });
const WAITING: CursorState = Object.freeze({ kind: 'waiting' });
const CLOSED: CursorState = Object.freeze({ kind: 'closed' });

const STAY_LIVE: CursorStep = Object.freeze({ state: LIVE, action: 'none' });
const PUSH: CursorStep = Object.freeze({ state: LIVE, action: 'push' });
const READ: CursorStep = Object.freeze({ state: READING, action: 'read' });
const KEEP_READING: CursorStep = Object.freeze({ state: READING, action: 'none' });
const REMEMBER_WAKE: CursorStep = Object.freeze({ state: WOKEN, action: 'none' });
const WAIT: CursorStep = Object.freeze({ state: WAITING, action: 'none' });
const LOCATE: CursorStep = Object.freeze({ state: READING, action: 'locate' });
const STAY_CLOSED: CursorStep = Object.freeze({ state: CLOSED, action: 'none' });
const RELEASE: CursorStep = Object.freeze({ state: CLOSED, action: 'release' });

/** Where a cursor begins: its position is being looked up, and the log may be appended to meanwhile. */
export const OPENING: CursorState = READING;

/** The total transition function. */
export function nextCursorStep(state: CursorState, event: CursorEvent): CursorStep {
  if (state.kind === 'closed') return STAY_CLOSED;
  if (event.type === 'close') return RELEASE;
  if (event.type === 'move') return LOCATE;
  switch (state.kind) {
    case 'live':
      return fromLive(event);
    case 'reading':
      return fromReading(state.woken, event);
    case 'waiting':
      return event.type === 'room' ? READ : WAIT;
  }
}

type Flow = Exclude<CursorEvent, { readonly type: 'move' | 'close' }>;

function fromLive(event: Flow): CursorStep {
  if (event.type !== 'wake') return STAY_LIVE;
  if (event.pushable) return PUSH;
  return event.room ? READ : WAIT;
}

function fromReading(woken: boolean, event: Flow): CursorStep {
  if (event.type === 'wake') return REMEMBER_WAKE;
  if (event.type === 'room') return woken ? REMEMBER_WAKE : KEEP_READING;
  if (event.atHead && !woken) return STAY_LIVE;
  return event.room ? READ : WAIT;
}
