import type { InspectedLog } from './inspect-log.js';
import { FORMAT_VERSION, segmentName } from './segment-format.js';
import type { UserLog } from './user-log.js';

/** A place in the log where something is wrong. */
export interface Problem {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
}

/** What `verify` found. */
export interface VerifyReport {
  readonly isSound: boolean;
  readonly segments: number;
  readonly bytes: number;
  readonly records: number;
  readonly events: number;
  readonly users: number;
  /** In the order of the log; of damaged bytes the first 1,000 places. */
  readonly problems: readonly Problem[];
  /** How many there are in all. */
  readonly problemCount: number;
  /** An unfinished write at the end, which is no damage: it never settled. */
  readonly torn: Omit<Problem, 'reason'> | undefined;
}

/** What is wrong with the log, by place. */
export function verifyReport(log: InspectedLog): VerifyReport {
  const { segments, damage, missing, records, events, users, found, tornBytes } = log;
  const headless = new Set(found.segments.flatMap((one) => (one.header ? [] : segmentName(one.number))));
  const problems: Problem[] = damage.places.map(({ segment, offset, bytes, reason }) => {
    const isHeader = offset === 0 && bytes > 0 && headless.has(segment);
    return {
      file: segment,
      offset,
      bytes,
      reason: isHeader ? 'The header of the segment is damaged.' : reason,
    };
  });
  const unlistedCount = damage.count - damage.places.length;
  for (const { segment, offset, from, to, userId: user } of missing) {
    const what = from === to ? `Event ${from}` : `Events ${from} to ${to}`;
    const verb = from === to ? 'does' : 'do';
    problems.push({
      file: segment,
      offset,
      bytes: 0,
      reason: `${what} of ${user} should come before, and ${verb} not.`,
    });
  }
  const newest = segments.active;
  return {
    isSound: problems.length === 0,
    segments: segments.count,
    bytes: fileBytes(log),
    records,
    events,
    users: users.count,
    problems: problems.sort((a, b) => a.file.localeCompare(b.file) || a.offset - b.offset),
    problemCount: problems.length + unlistedCount,
    torn:
      tornBytes === 0 || newest === undefined
        ? undefined
        : { file: segmentName(newest.number), offset: newest.end, bytes: tornBytes },
  };
}

/** One line per problem, and a summary. */
export function verifyText(report: VerifyReport): string {
  const { isSound, segments, records, events, users, bytes, problems, problemCount, torn } = report;
  const lines = problems.map(({ file, offset, bytes: length, reason }) => {
    return `${file} at ${offset}, ${counted(length, 'byte')}: ${reason}`;
  });
  if (problemCount > problems.length) lines.push(`and ${problemCount - problems.length} more`);
  if (torn !== undefined) {
    const { file, offset, bytes: length } = torn;
    lines.push(`${file} at ${offset}, ${counted(length, 'byte')}: An unfinished write, which is no damage.`);
  }
  const verdict = isSound ? 'sound' : `damaged in ${counted(problemCount, 'place')}`;
  const sizes = [counted(segments, 'segment'), counted(records, 'record'), counted(events, 'event')];
  lines.push(`${verdict}: ${sizes.join(', ')} of ${counted(users, 'user')}, ${counted(bytes, 'byte')}`);
  return `${lines.join('\n')}\n`;
}

/** One user's stream in numbers. */
export interface UserStats {
  readonly userId: string;
  readonly first: number;
  readonly head: number;
  readonly events: number;
  readonly records: number;
  readonly bytes: number;
  readonly erasuresUnderWay: number;
}

/** What `stats` shows. Live is what the files alone say: a writer that opens them may apply narrower limits. */
export interface StatsReport {
  readonly epoch: string | undefined;
  readonly formatVersion: number;
  readonly segments: number;
  readonly bytes: number;
  readonly liveBytes: number;
  readonly deadBytes: number;
  readonly records: number;
  /** Events in valid records, and those of them that can be read. */
  readonly events: number;
  readonly liveEvents: number;
  readonly users: number;
  readonly oldest: string | undefined;
  readonly newest: string | undefined;
  readonly damagedPlaces: number;
  readonly tornBytes: number;
  readonly biggestUsers: readonly UserStats[];
}

const BIGGEST_USERS = 10;

/** Counts what is there, of all users or of one. */
export function statsReport(log: InspectedLog, user: UserLog | undefined): StatsReport {
  const asked = user === undefined ? [...log.users.all()] : [user];
  const all = asked.map((one) => userStats(one));
  const bytes = fileBytes(log);
  const liveBytes = log.segments.all().reduce((sum, segment) => sum + segment.liveBytes, 0);
  const oldestAt = asked.reduce((oldest, one) => Math.min(oldest, one.record(0)?.at ?? oldest), Infinity);
  const newestAt = asked.reduce((newest, one) => Math.max(newest, lastAtOf(one)), -Infinity);
  return {
    epoch: log.epoch,
    formatVersion: FORMAT_VERSION,
    segments: log.segments.count,
    bytes,
    liveBytes,
    deadBytes: bytes - liveBytes - log.segments.all().reduce((sum, { headerBytes }) => sum + headerBytes, 0),
    records: log.records,
    events: log.events,
    liveEvents: all.reduce((sum, { events }) => sum + events, 0),
    users: log.users.count,
    oldest: timeOf(oldestAt),
    newest: timeOf(newestAt),
    damagedPlaces: log.damage.count + log.missing.length,
    tornBytes: log.tornBytes,
    biggestUsers: all.sort((a, b) => b.bytes - a.bytes).slice(0, BIGGEST_USERS),
  };
}

/** One line per number, and one per user. */
export function statsText({ biggestUsers, ...numbers }: StatsReport): string {
  const lines = Object.entries(numbers).map(([name, value]) => `${name.padEnd(14)} ${value ?? 'unknown'}`);
  for (const { userId, first, head, bytes } of biggestUsers) {
    lines.push(`${userId}: seq ${first} to ${head}, ${counted(bytes, 'byte')}`);
  }
  return `${lines.join('\n')}\n`;
}

function userStats(user: UserLog): UserStats {
  const { userId, first, head, bytes, recordCount, erasures } = user;
  const sizes = { events: head - first + 1, records: recordCount, bytes };
  return { userId, first, head, ...sizes, erasuresUnderWay: erasures.size };
}

function lastAtOf(user: UserLog): number {
  return user.record(user.recordCount - 1)?.at ?? -Infinity;
}

function timeOf(at: number): string | undefined {
  return Number.isFinite(at) ? new Date(at).toISOString() : undefined;
}

function fileBytes({ found }: InspectedLog): number {
  return found.segments.reduce((sum, { size }) => sum + size, 0);
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
