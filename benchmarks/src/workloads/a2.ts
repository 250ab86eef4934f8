import { turnWorkload } from './turns.js';

/** One user's flood: the whole of one stream in one connection. */
export const a2 = turnWorkload({
  name: 'A2',
  title: 'flood: one user, 20,000 events, 100 in a turn',
  users: 1,
  connectionsPerUser: 1,
  perTurn: 100,
  turns: 200,
  goal: { atMost: 0.4 },
  contestants: ['ws', 'socket.io', 'sse', 'uws', 'runwire'],
});
