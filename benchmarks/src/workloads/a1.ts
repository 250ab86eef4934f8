import { turnWorkload } from './turns.js';

/** Bursts: what a turn emits to one user can be written together. */
export const a1 = turnWorkload({
  name: 'A1',
  title: 'burst: 200 users with one connection each, 100 events to each in one turn',
  users: 200,
  connectionsPerUser: 1,
  perTurn: 100,
  turns: 2,
  goal: { atMost: 0.45 },
  contestants: ['ws', 'socket.io', 'sse', 'uws', 'runwire', 'runwire-memory', 'runwire-merging'],
});
