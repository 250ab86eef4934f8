import { BareClient, type BareMessage, textOf } from './bare-client.js';
import type { HttpUser } from './http-user.js';

/** What one connection, or one client over many connections, handed to its application. */
export interface Recording {
  readonly label: string;
  readonly user: HttpUser;
  readonly events: readonly BareMessage[];
  /** Resets put a hole where a snapshot takes over; the events behind it are contiguous again. */
  readonly resets: number;
}

/**
 * The invariants that hold at the end of every test that moves events. Returns what is broken, in words.
 * The truth is what a fresh client reads from the beginning of the user's stream.
 */
export async function auditUser(
  url: string,
  user: HttpUser,
  recordings: readonly Recording[],
): Promise<string[]> {
  const truth = await wholeStream(url, user);
  const problems: string[] = [];
  for (const recording of recordings) problems.push(...auditRecording(recording, truth));
  return [...problems, ...auditRuns(user, truth)];
}

/** Everything the log has for a user, read by a client of its own. */
async function wholeStream(url: string, user: HttpUser): Promise<readonly BareMessage[]> {
  const { body } = await user.call('GET', '/auth/me');
  // A test may have signed the user out: then there is a new session for the audit.
  const token = body.error === undefined ? user.accessToken : await signInAgain(url, user);
  const reader = new BareClient(url, { token, resume: { seq: 0 } });
  await reader.untilControl('caught_up', 60_000);
  reader.close();
  return reader.events;
}

async function signInAgain(url: string, user: HttpUser): Promise<string> {
  const answer = await fetch(new URL('/auth/login', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: user.email, password: user.password }),
  });
  return ((await answer.json()) as { accessToken: string }).accessToken;
}

function auditRecording(recording: Recording, truth: readonly BareMessage[]): string[] {
  const problems: string[] = [];
  const own = new Map(truth.map((event) => [event.seq, event]));
  const covered = coveredSeqs(truth);
  let applied: number | undefined;
  let holes = 0;
  for (const event of recording.events) {
    const seq = event.seq ?? 0;
    const first = event.from ?? seq;
    if (applied !== undefined && first > applied + 1) holes += 1;
    if (applied !== undefined && seq <= applied) problems.push(`${recording.label}: ${seq} came twice`);
    applied = seq;
    const known = own.get(seq);
    if (known === undefined ? !covered.has(seq) : known.id !== event.id) {
      problems.push(
        `${recording.label}: ${event.type} ${event.id} at ${seq} is not an event of ${recording.user.id}`,
      );
    }
  }
  if (holes > recording.resets)
    problems.push(`${recording.label}: ${holes} holes, ${recording.resets} resets`);
  return problems;
}

function coveredSeqs(truth: readonly BareMessage[]): ReadonlySet<number> {
  const covered = new Set<number>();
  for (const event of truth) {
    for (let seq = event.from ?? event.seq ?? 0; seq <= (event.seq ?? 0); seq += 1) covered.add(seq);
  }
  return covered;
}

/** Each ended run has one terminal event, its last, and the text that was streamed is the text of its result. */
function auditRuns(user: HttpUser, truth: readonly BareMessage[]): string[] {
  const problems: string[] = [];
  const runs = new Map<string, BareMessage[]>();
  for (const event of truth) {
    if (event.runId === undefined || event.type === 'message_added') continue;
    runs.set(event.runId, [...(runs.get(event.runId) ?? []), event]);
  }
  for (const [runId, events] of runs) {
    const label = `${user.id} ${runId}`;
    const ends = events.filter(({ type }) => type === 'agent_completed');
    if (ends.length > 1) problems.push(`${label}: ${ends.length} terminal events`);
    const end = ends[0];
    if (end === undefined) continue;
    if (events.at(-1) !== end)
      problems.push(`${label}: ${events.at(-1)?.type} came behind the terminal event`);
    const { status, result } = end['data'];
    if (status === 'completed' && typeof result === 'string' && textOf(events, runId) !== result) {
      problems.push(`${label}: the streamed text is not the result`);
    }
  }
  return problems;
}
