import { parseArgs } from 'node:util';
import type { Clock } from '@runwire/kernel';
import type { LogDisk } from './disk.js';
import { FileLogError } from './errors.js';
import { LogFollower } from './inspect-follow.js';
import { findUser, type InspectedLog, inspectLog } from './inspect-log.js';
import { statsReport, statsText, verifyReport, verifyText } from './inspect-report.js';
import { lastEvents, type TailedEvent } from './inspect-tail.js';
import type { UserLog } from './user-log.js';

/** What the command needs of the process it runs in. */
export interface CliIo {
  stdout(text: string): void;
  stderr(text: string): void;
  /** The folder, to be looked at only. */
  openDisk(directory: string): LogDisk;
  readonly clock: Clock;
  /** Settles after so long, or when `signal` aborts. */
  pause(delayMs: number): Promise<void>;
  /** Ends `--follow`. */
  readonly signal: AbortSignal;
}

const HELP = `runwire-log: looks at the folder of an event log, also while a server has it; changes nothing

Usage: runwire-log <command> <folder> [options]

  verify   checks every header, record and the order of each user's events; one line per problem
  stats    what is in the log, in numbers
  tail     the last events, as JSON lines

Options:
  --user <id>        only what concerns this user
  --json             one JSON object; with tail one per event, which names the user too
  -n, --count <n>    events that tail shows (10)
  -f, --follow       tail goes on with what is appended, until it is interrupted
  -h, --help         this text

Exit code: 0 the log is sound, 1 damage was found, 2 wrong use, or no log that can be read
`;

const EXIT = Object.freeze({ sound: 0, damaged: 1, unusable: 2 });
const FOLLOW_INTERVAL_MS = 250;
const COMMANDS = ['verify', 'stats', 'tail'] as const;

interface Request {
  readonly command: (typeof COMMANDS)[number];
  readonly path: string;
  readonly userId: string | undefined;
  readonly isJson: boolean;
  readonly count: number;
  readonly isFollowing: boolean;
}

/** The command was used in a way that it does not know. */
class WrongUse extends Error {
  override readonly name = 'WrongUse';
}

/** Runs `runwire-log` with these arguments. Settles to its exit code; does not reject. */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  try {
    const request = requestOf(args);
    if (request !== undefined) return await run(request, io);
    io.stdout(HELP);
    return EXIT.sound;
  } catch (cause) {
    io.stderr(`runwire-log: ${messageOf(cause)}\n`);
    if (cause instanceof WrongUse) io.stderr('runwire-log --help shows how it is used.\n');
    return EXIT.unusable;
  }
}

function messageOf(cause: unknown): string {
  if (cause instanceof FileLogError || cause instanceof WrongUse) return cause.message;
  return `The log cannot be read: ${textOf(cause)}`;
}

/** What an error of the host says, without its name. */
function textOf(cause: unknown): string {
  return typeof cause === 'object' && cause !== null && 'message' in cause
    ? String(cause.message)
    : String(cause);
}

/** Undefined when only help is asked for. */
function requestOf(args: readonly string[]): Request | undefined {
  const { values, positionals } = parsed(args);
  if (values.help === true) return undefined;
  const [name, path, ...rest] = positionals;
  const command = COMMANDS.find((known) => known === name);
  if (command === undefined) {
    throw new WrongUse(`Expected verify, stats or tail${name === undefined ? '' : `, not ${name}`}.`);
  }
  if (path === undefined || path === '') throw new WrongUse(`${command} needs the folder of a log.`);
  if (rest.length > 0) throw new WrongUse(`${command} takes one folder, not ${rest.length + 1}.`);
  const { count, follow = false, json = false, user } = values;
  if (command !== 'tail' && (follow || count !== undefined)) {
    throw new WrongUse(`--count and --follow are for tail, not for ${command}.`);
  }
  if (count !== undefined && !/^\d{1,9}$/.test(count)) {
    throw new WrongUse(`--count must be a whole number up to 999999999, not ${count}.`);
  }
  return { command, path, userId: user, isJson: json, count: Number(count ?? 10), isFollowing: follow };
}

function parsed(args: readonly string[]) {
  const options = {
    help: { type: 'boolean', short: 'h' },
    json: { type: 'boolean' },
    user: { type: 'string' },
    count: { type: 'string', short: 'n' },
    follow: { type: 'boolean', short: 'f' },
  } as const;
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (cause) {
    throw new WrongUse(textOf(cause), { cause });
  }
}

async function run(request: Request, io: CliIo): Promise<number> {
  const disk = io.openDisk(request.path);
  const deps = { disk, clock: io.clock };
  const { code, follower } = inspectLog(deps, request.path, (whole) => {
    const log = { ...whole, missing: whole.missing.filter((gap) => isAsked(gap.userId, request)) };
    show(log, request, io);
    const isSound = log.damage.count + log.missing.length === 0;
    if (!isSound && request.command !== 'verify') {
      io.stderr('runwire-log: The log is damaged; verify says where.\n');
    }
    return {
      code: isSound ? EXIT.sound : EXIT.damaged,
      follower: request.isFollowing ? new LogFollower(disk, request.path, log) : undefined,
    };
  });
  if (follower !== undefined) await follow(follower, request, io);
  return code;
}

function show(log: InspectedLog, request: Request, io: CliIo): void {
  const { command, userId, isJson, count } = request;
  const user = userId === undefined ? undefined : knownUser(log, request);
  switch (command) {
    case 'verify': {
      const report = verifyReport(log);
      io.stdout(isJson ? jsonLine(report) : verifyText(report));
      return;
    }
    case 'stats': {
      const report = statsReport(log, user);
      io.stdout(isJson ? jsonLine(report) : statsText(report));
      return;
    }
    case 'tail': {
      const users = userId === undefined ? log.users.all() : user === undefined ? [] : [user];
      io.stdout(linesOf(lastEvents(log, users, count), isJson));
    }
  }
}

/** Undefined for one that nothing was appended for yet, which is worth following only. */
function knownUser(log: InspectedLog, { userId = '', isFollowing }: Request): UserLog | undefined {
  const user = findUser(log, userId);
  if (user === undefined && !isFollowing) throw new WrongUse(`The log knows no user ${userId}.`);
  return user;
}

async function follow(follower: LogFollower, request: Request, io: CliIo): Promise<void> {
  for (;;) {
    await io.pause(FOLLOW_INTERVAL_MS);
    if (io.signal.aborted) return;
    const events = follower.poll().filter((event) => isAsked(event.userId, request));
    io.stdout(linesOf(events, request.isJson));
  }
}

function isAsked(userId: string, request: Request): boolean {
  return request.userId === undefined || request.userId === userId;
}

/** Events as they are stored. Their text is JSON already, and stays as it is. */
function linesOf(events: readonly TailedEvent[], namesUser: boolean): string {
  return events
    .map(({ userId, event: { json } }) =>
      namesUser ? `{"userId":${JSON.stringify(userId)},"event":${json}}\n` : `${json}\n`,
    )
    .join('');
}

function jsonLine(report: object): string {
  return `${JSON.stringify(report)}\n`;
}
