import { RESUMABLE, resumeWorkload } from './resume.js';

/** One client that was away. */
export const e1 = resumeWorkload({
  name: 'E1',
  title: 'one resume: one client comes back, 1,000 events missed',
  clients: 1,
  missed: 1_000,
  history: 0,
  // One client brings little to warm up by: with 2, what is measured is the compiler.
  warmUps: 20,
  repetitions: 9,
  goal: { atMost: 0.7 },
  contestants: [...RESUMABLE, 'runwire-merging'],
});
