import { RESUMABLE, resumeWorkload } from './resume.js';

/** Fifty clients that were away. */
export const e2 = resumeWorkload({
  name: 'E2',
  title: 'fifty resumes: 50 clients come back at once, 1,000 events missed by each',
  clients: 50,
  missed: 1_000,
  history: 0,
  warmUps: 1,
  repetitions: 2,
  goal: { atMost: 0.8 },
  contestants: RESUMABLE,
});
