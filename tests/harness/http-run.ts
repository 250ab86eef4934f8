import { until } from './deadline.js';
import type { HttpUser } from './http-user.js';

const RUN_DEADLINE_MS = 120_000;

/** Starts a run in a thread of its own, without a connection; settles with its id. */
export async function startRun(user: HttpUser, content: string, agent?: string): Promise<string> {
  const { body: thread } = await user.call('POST', '/api/threads', {});
  const message = agent === undefined ? { content } : { content, agent };
  const { status, body } = await user.call('POST', `/api/threads/${thread.id}/messages`, message);
  if (status !== 202) throw new Error(`The message was answered ${status}: ${JSON.stringify(body)}`);
  return body.runId;
}

/** Settles with the record of a run once it has ended, by the server's word alone. */
export async function endedRun(
  user: HttpUser,
  runId: string,
): Promise<{ readonly status: string; readonly [field: string]: unknown }> {
  let run = { status: '' };
  await until(RUN_DEADLINE_MS, `the end of ${runId}`, async () => {
    run = (await user.call('GET', `/api/runs/${runId}`)).body;
    return !UNDER_WAY.has(run.status);
  });
  return run;
}

const UNDER_WAY: ReadonlySet<string> = new Set(['accepted', 'queued', 'running']);
