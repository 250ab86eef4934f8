import type { UserStream } from './audit.js';
import type { AuditTally } from './audit-report.js';
import { type BareMessage, textOf } from './bare-client.js';
import type { HttpUser } from './http-user.js';
import type { Recording } from './recording.js';

/** What is known of a user whose runs are compared. */
export interface KnownUser {
  readonly stream: UserStream;
  readonly recordings: readonly Recording[];
}

/**
 * Every run that was promised has exactly one terminal event, its last; the text that was streamed is the text
 * of its result, and what the agent was to write; and the database says the same as the log.
 */
export async function auditRuns(user: HttpUser, known: KnownUser, tally: AuditTally): Promise<void> {
  const { events } = known.stream;
  const deleted = new Set(
    events.filter(({ type }) => type === 'thread_deleted').map((event) => event.threadId),
  );
  const prompts = new Map<string, string>();
  const runs = new Map<string, BareMessage[]>();
  for (const event of events) {
    const { runId, threadId } = event;
    if (runId === undefined || deleted.has(threadId)) continue;
    const own = runs.get(runId) ?? [];
    runs.set(runId, own);
    if (event.type === 'message_added') prompts.set(runId, promptOf(event));
    else own.push(event);
  }
  tally.runs += runs.size;
  for (const [runId, own] of runs) {
    const say = (problem: string): void => void tally.problems.push(`${user.id} ${runId}: ${problem}`);
    auditEvents(own, runId, say);
    if (known.stream.first === 1) auditText(own, { runId, prompt: prompts.get(runId) ?? '' }, say);
    await auditStored(user, { runId, end: own.at(-1) }, say);
  }
  auditAccepted(user, { ...known, deleted, runs }, tally);
}

function auditEvents(events: readonly BareMessage[], runId: string, say: (problem: string) => void): void {
  const ends = events.filter(({ type }) => type === 'agent_completed');
  if (ends.length !== 1) say(`${ends.length} terminal events`);
  if (ends.length > 0 && events.at(-1)?.type !== 'agent_completed') {
    say(`${events.at(-1)?.type} came behind the terminal event of ${runId}`);
  }
}

function auditText(
  events: readonly BareMessage[],
  run: { readonly runId: string; readonly prompt: string },
  say: (problem: string) => void,
): void {
  const end = events.at(-1);
  if (end?.type !== 'agent_completed') return;
  const { status, result } = end['data'];
  // A later attempt starts its answer over, in a message of its own.
  const { messageId } = end['data'];
  const streamed = textOf(
    events.filter(({ data }) => data.messageId === messageId),
    run.runId,
  );
  const whole = answerTo(run.prompt);
  if (status === 'completed') {
    if (typeof result === 'string' && streamed !== result) say('the streamed text is not the result');
    if (whole !== undefined && streamed !== whole) say(`the answer is not what "${run.prompt}" asks for`);
  } else if (whole !== undefined && !whole.startsWith(streamed)) {
    say(`the text so far is not the beginning of what "${run.prompt}" asks for`);
  }
}

/** The database and the log agree how a run ended: SQL decides, the log follows. */
async function auditStored(
  user: HttpUser,
  run: { readonly runId: string; readonly end: BareMessage | undefined },
  say: (problem: string) => void,
): Promise<void> {
  const { status, body } = await user.call('GET', `/api/runs/${run.runId}`);
  // Signed out, or deleted a moment ago: there is nothing to compare with.
  if (status === 401 || status === 404) return;
  const logged = run.end?.['data']?.status;
  if (body.status !== logged) say(`the database says ${body.status}, the log says ${logged}`);
}

/** What was answered `command_accepted` is there, unless its thread was deleted or it is past retention. */
function auditAccepted(
  user: HttpUser,
  known: KnownUser & {
    readonly deleted: ReadonlySet<string | undefined>;
    readonly runs: ReadonlyMap<string, unknown>;
  },
  tally: AuditTally,
): void {
  if (known.stream.first > 1) return;
  for (const { runId, threadId } of known.recordings.flatMap(({ accepted }) => accepted)) {
    if (known.deleted.has(threadId) || known.runs.has(runId)) continue;
    tally.problems.push(`${user.id} ${runId}: was accepted, and the log knows nothing of it`);
  }
}

function promptOf(message: BareMessage): string {
  const parts = message['data'].parts as readonly { readonly type: string; readonly text?: string }[];
  return parts.map(({ text = '' }) => text).join('');
}

/** What the built-in agent answers to the byte, where that is known without asking it. */
function answerTo(prompt: string): string | undefined {
  const to = /^count to (\d+)(?: at [\d.]+ per second)?$/.exec(prompt)?.[1];
  if (to === undefined || Number(to) > MAX_COUNT) return undefined;
  return Array.from({ length: Number(to) }, (_, index) => index + 1).join(' ');
}

/** Beyond it the agent refuses, in words. */
const MAX_COUNT = 100_000;
