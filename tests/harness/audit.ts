import { type AuditReport, AuditTally } from './audit-report.js';
import { auditRuns } from './audit-runs.js';
import { BareClient, type BareMessage } from './bare-client.js';
import { callHttp, type HttpUser } from './http-user.js';
import type { Recording } from './recording.js';

/** What the log has for a user, as a client sees it that reads from the beginning. */
export interface UserStream {
  readonly epoch: string;
  /** The lowest `seq` that can be read. */
  readonly first: number;
  readonly head: number;
  /** In order; neighbouring deltas may be merged. */
  readonly events: readonly BareMessage[];
}

/** The ids of a user's events by `seq`, as far as they are known. */
type KnownIds = Map<number, string>;

/**
 * The invariants that hold at the end of every test that moves events, compared with what a fresh client reads
 * from the beginning of each user's stream. `url` is the server itself, whatever network its clients have.
 */
export async function auditUsers(
  url: string,
  users: readonly HttpUser[],
  recordings: readonly Recording[],
): Promise<AuditReport> {
  const tally = new AuditTally();
  const owners = new Map<string, HttpUser>();
  const streams = new Map<HttpUser, UserStream>();
  for (const user of users) {
    const stream = await readStream(url, user, tally);
    streams.set(user, stream);
    tally.users += 1;
    tally.events += stream.head;
    if (stream.first > 1 || stream.events.some(({ type }) => type === 'erased')) tally.isWhole = false;
    for (const { id, runId } of stream.events) {
      for (const known of [id, runId]) if (known !== undefined) owners.set(known, user);
    }
  }
  for (const [user, stream] of streams) {
    const own = recordings.filter((recording) => recording.user === user);
    const ids = await knownIds(user, stream, own);
    for (const recording of own) {
      auditOrder(recording, stream, tally);
      auditIds(recording, { stream, ids, owners }, tally);
    }
    await auditRuns(user, { stream, recordings: own }, tally);
  }
  return tally.report();
}

/** Everything the log has for a user, read by a client of its own. */
async function readStream(url: string, user: HttpUser, tally: AuditTally): Promise<UserStream> {
  const token = await tokenOf(url, user);
  const reader = new BareClient(url, { token, resume: { seq: 0 }, acks: false });
  const { stream } = (await reader.untilControl('connection_established', READ_DEADLINE_MS)) as unknown as {
    stream: { epoch: string; first: number; head: number };
  };
  await reader.untilControl('caught_up', READ_DEADLINE_MS);
  reader.close();
  if (reader.gaps > 0) tally.fault('lost', `${user.id}: the stream itself has gaps`, reader.gaps);
  if (reader.duplicates > 0) tally.problems.push(`${user.id}: the stream itself has events twice`);
  return { ...stream, events: reader.events, head: reader.cursor.seq };
}

const READ_DEADLINE_MS = 60_000;

/** A token that is good. A test may have signed the user out: then there is a new session for the audit. */
export async function tokenOf(url: string, user: HttpUser): Promise<string> {
  const { status } = await user.call('GET', '/auth/me');
  if (status === 200) return user.accessToken;
  const body = { email: user.email, password: user.password };
  const answer = await callHttp(url, { method: 'POST', path: '/auth/login', body });
  return (answer.body as { accessToken: string }).accessToken;
}

/** The ids of the stream; those that it shows merged are asked of their runs, where nothing is merged. */
async function knownIds(
  user: HttpUser,
  stream: UserStream,
  recordings: readonly Recording[],
): Promise<KnownIds> {
  const ids: KnownIds = new Map();
  for (const { seq, id } of stream.events) if (seq !== undefined && id !== undefined) ids.set(seq, id);
  const unknown = new Set<string>();
  for (const event of recordings.flatMap(({ events }) => events)) {
    const { seq = 0, runId } = event;
    if (runId !== undefined && seq >= stream.first && !ids.has(seq)) unknown.add(runId);
  }
  for (const runId of unknown) {
    for (const { seq, id } of await runEvents(user, runId, stream)) ids.set(seq, id);
  }
  return ids;
}

/** Empty for a run that is gone with its thread. */
async function runEvents(
  user: HttpUser,
  runId: string,
  stream: UserStream,
): Promise<readonly { readonly seq: number; readonly id: string }[]> {
  const found: { readonly seq: number; readonly id: string }[] = [];
  const begin = stream.events.find((event) => event.runId === runId);
  for (let after: number | null = (begin?.from ?? begin?.seq ?? 1) - 1; after !== null; ) {
    const { status, body } = await user.call('GET', `/api/runs/${runId}/events?after=${after}`);
    if (status !== 200) return found;
    found.push(...body.items);
    after = body.after;
  }
  return found;
}

/** Each event once, contiguous but for the holes that a reset told of, and all of them for who follows. */
function auditOrder(recording: Recording, stream: UserStream, tally: AuditTally): void {
  const { label } = recording;
  const holes: number[] = [];
  const seen = new Set<number>();
  let applied: number | undefined;
  for (const event of recording.events) {
    const seq = event.seq ?? 0;
    const first = event.from ?? seq;
    if (applied !== undefined && first > applied + 1) holes.push(first - applied - 1);
    if (seen.has(seq)) tally.fault('duplicated', `${label}: ${seq} came twice`);
    else if (applied !== undefined && seq <= applied) {
      tally.fault('reordered', `${label}: ${seq} came behind ${applied}`);
    }
    tally.applied += seq - Math.max(first - 1, applied ?? 0);
    for (let at = first; at <= seq; at += 1) seen.add(at);
    applied = Math.max(applied ?? 0, seq);
  }
  const untold = holes.sort((a, b) => a - b).slice(0, Math.max(0, holes.length - recording.resets));
  for (const hole of untold) tally.fault('lost', `${label}: ${hole} events are missing`, hole);
  if (recording.gaps > 0) tally.fault('lost', `${label}: gaps`, recording.gaps);
  tally.resets += recording.resets;
  const missing = stream.head - recording.appliedSeq;
  if (recording.follows && missing > 0) {
    tally.fault('lost', `${label}: the last ${missing} events never came`, missing);
  }
  if (recording.epoch !== undefined && recording.epoch !== stream.epoch) {
    tally.problems.push(`${label}: follows the log ${recording.epoch}, there is ${stream.epoch}`);
  }
}

/** Every event is the one that the user's log has at its `seq`, now and for everybody else who saw it. */
function auditIds(
  recording: Recording,
  known: {
    readonly stream: UserStream;
    readonly ids: KnownIds;
    readonly owners: ReadonlyMap<string, HttpUser>;
  },
  tally: AuditTally,
): void {
  const { label, user } = recording;
  for (const event of recording.events) {
    const { seq = 0, id = '', runId = '', type } = event;
    // Of a stream that shows deltas merged not every id is known, but every run.
    const owner = known.owners.get(id) ?? known.owners.get(runId);
    if (owner !== undefined && owner !== user) {
      tally.fault('foreign', `${label}: ${type} ${id} at ${seq} belongs to ${owner.id}, not to ${user.id}`);
      continue;
    }
    if (seq > known.stream.head) {
      tally.fault('foreign', `${label}: ${type} ${id} at ${seq} is behind the head ${known.stream.head}`);
      continue;
    }
    // What nobody can read any more is what the first who saw it says it was.
    const expected = known.ids.get(seq);
    if (expected === undefined) known.ids.set(seq, id);
    else if (expected !== id) {
      tally.fault(
        'foreign',
        `${label}: ${type} ${id} at ${seq}, where the log of ${user.id} has ${expected}`,
      );
    }
  }
}
