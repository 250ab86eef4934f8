import { turnWorkload } from './turns.js';

/** Several tabs: each event goes to three connections. */
export const a4 = turnWorkload({
  name: 'A4',
  title: 'three tabs: 60 users with three connections each, one event to each user in a turn',
  users: 60,
  connectionsPerUser: 3,
  perTurn: 1,
  turns: 150,
  goal: { atMost: 0.95 },
  contestants: ['ws', 'socket.io', 'sse', 'uws', 'runwire'],
});
