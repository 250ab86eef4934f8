import { turnWorkload } from './turns.js';

/** Spread: there is nothing that could be written together. */
export const a3 = turnWorkload({
  name: 'A3',
  title: 'spread: 200 users with one connection each, one event to each in a turn',
  users: 200,
  connectionsPerUser: 1,
  perTurn: 1,
  turns: 100,
  goal: { atMost: 1 },
  contestants: ['ws', 'socket.io', 'sse', 'uws', 'runwire', 'runwire-memory', 'runwire-server'],
});
