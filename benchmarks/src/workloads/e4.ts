import { RESUMABLE, resumeWorkload } from './resume.js';

/** Everybody at once, in a server that has seen others. */
export const e4 = resumeWorkload({
  name: 'E4',
  title: 'storm: 100 clients come back at once, 20 events missed by each, after 200,000 events to others',
  clients: 100,
  missed: 20,
  history: 200_000,
  warmUps: 1,
  repetitions: 3,
  goal: { atMost: 0.8 },
  contestants: RESUMABLE,
});
