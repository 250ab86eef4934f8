import assert from 'node:assert/strict';
import type { ThreadId, UserId } from '@runwire/id-generation';
import type { Cursor } from '@runwire/protocol';
import type { EncodedBatch, EncodedEvent, EventLog, ReadRequest, ReadResult } from '../../contract.js';
import type { EventLogErrorCode } from '../../errors.js';
import type { ConformanceLogOptions, EventLogConformanceContext } from '../conformance-context.js';
import type { RunOfThread } from './drafts.js';

/** A log with one user in it: what almost every case begins with. */
export interface Scene {
  readonly log: EventLog;
  readonly user: UserId;
  readonly threadId: ThreadId;
  readonly run: RunOfThread;
}

/** Opens a log and makes a user, a thread and a run of it. */
export async function setScene(
  { ids, newUser, openLog }: EventLogConformanceContext,
  options?: ConformanceLogOptions,
): Promise<Scene> {
  const threadId = ids.threadId();
  return {
    log: await openLog(options),
    user: newUser(),
    threadId,
    run: { threadId, runId: ids.runId(threadId) },
  };
}

/** A cursor before the first event. */
export async function originOf(log: EventLog, user: UserId): Promise<Cursor> {
  return { epoch: (await log.stream(user)).epoch, seq: 0 };
}

/** Reads from the beginning, or after `request.after`, without limits unless given; fails on a reset. */
export async function pageOf(
  log: EventLog,
  user: UserId,
  request: Partial<ReadRequest> = {},
): Promise<ReadResult & { kind: 'page' }> {
  const after = request.after ?? (await originOf(log, user));
  const result = await log.read(user, {
    limitEvents: Number.MAX_SAFE_INTEGER,
    limitBytes: Number.MAX_SAFE_INTEGER,
    ...request,
    after,
  });
  assert(result.kind === 'page', `a page was expected, not ${JSON.stringify(result)}`);
  return result;
}

/** The whole readable stream of a user. */
export async function eventsOf(log: EventLog, user: UserId): Promise<readonly EncodedEvent[]> {
  const { epoch, first } = await log.stream(user);
  return (await pageOf(log, user, { after: { epoch, seq: first - 1 } })).events;
}

/** Why the cursor is refused; undefined when it is honoured. */
export async function resetReasonOf(
  log: EventLog,
  user: UserId,
  after: Cursor,
): Promise<(ReadResult & { kind: 'reset' })['reason'] | undefined> {
  const result = await log.read(user, { after, limitEvents: 10, limitBytes: 10_000 });
  return result.kind === 'reset' ? result.reason : undefined;
}

/** Fails unless the call rejects with this code; a call that throws synchronously fails as well. */
export async function assertRefused(call: () => Promise<unknown>, code: EventLogErrorCode): Promise<void> {
  let refused: Promise<unknown>;
  try {
    refused = call();
  } catch (cause) {
    throw new assert.AssertionError({ message: `threw synchronously: ${String(cause)}` });
  }
  await assert.rejects(refused, { name: 'EventLogError', code });
}

/** The titles, texts or types of events, in order: what a person would compare. */
export function wordsOf(events: readonly EncodedEvent[]): string[] {
  return events.map(({ json, type }) => {
    const { data } = JSON.parse(json) as { data: { title?: string; text?: string } };
    return data.title ?? data.text ?? type;
  });
}

/** The wakes of one subscription, as they come. */
export interface WakeRecord {
  readonly wakes: readonly (EncodedBatch | undefined)[];
  /** The `seq` that the batches carried, in order. */
  readonly carried: readonly number[];
  readonly stop: () => void;
}

/** Subscribes and writes down what comes. */
export function recordWakes(log: EventLog, user: UserId): WakeRecord {
  const wakes: (EncodedBatch | undefined)[] = [];
  const carried: number[] = [];
  const stop = log.subscribe(user, (batch) => {
    wakes.push(batch);
    for (const event of batch?.events ?? []) carried.push(event.seq);
  });
  return { wakes, carried, stop };
}

/** Turns that a log is given to do what it owes. */
const MAX_TURNS = 500;

/** Waits, turn by turn, for what must come; fails when it does not. */
export async function until(
  { clock }: EventLogConformanceContext,
  condition: () => boolean,
  what: string,
): Promise<void> {
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    if (condition()) return;
    await clock.settle();
  }
  assert.fail(`never came: ${what}`);
}

/** Lets pass what a log could still do, so that a case can say what did not happen. */
export async function quiet({ clock }: EventLogConformanceContext): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await clock.settle();
}

/** What an event says, whatever it is made of. */
export function plain(event: EncodedEvent): EncodedEvent {
  const { seq, id, type, threadId, runId, json, bytes } = event;
  return { seq, id, type, class: event.class, threadId, runId, json, bytes };
}
