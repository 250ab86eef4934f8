import type { EventLog, ReadResult } from '@runwire/event-log';
import type { UserId } from '@runwire/id-generation';
import type { Cursor, ResetReason, ResumeInfo, ResumeRequest, StreamInfo } from '@runwire/protocol';

/** What a client asks for when it connects or resyncs, after parsing (protocol §5, first half of the order). */
export type ResumeDecision =
  | { readonly kind: 'live' }
  | { readonly kind: 'beginning' }
  | { readonly kind: 'after'; readonly cursor: Cursor }
  | { readonly kind: 'invalid' };

/** A page of events read from the log. */
export type LogPage = Extract<ReadResult, { readonly kind: 'page' }>;

/** Where delivery starts. `page` holds the first events, read on the way, of a cursor that was honoured. */
export interface StartPosition {
  readonly stream: StreamInfo;
  readonly resume: ResumeInfo;
  readonly position: Cursor;
  readonly page: LogPage | undefined;
}

/** Of any id on the wire. */
const MAX_ID_CHARS = 128;

/** How much the first page may hold. */
export interface PageLimits {
  readonly limitEvents: number;
  readonly limitBytes: number;
}

/**
 * Parses a resume as it was sent. Numbers may come as decimal text, because they travel in a URL; an empty
 * or null field counts as missing.
 */
export function decideResume(resume: ResumeRequest | undefined): ResumeDecision {
  if (resume === undefined) return { kind: 'live' };
  const seq = parseSeq(resume.seq);
  const hasEpoch = isGiven(resume.epoch);
  if (seq === 0 && !hasEpoch) return { kind: 'beginning' };
  if (seq === undefined || !hasEpoch || !isIdText(resume.epoch)) return { kind: 'invalid' };
  if (!isGiven(resume.id)) return { kind: 'after', cursor: { epoch: resume.epoch, seq } };
  if (!isIdText(resume.id)) return { kind: 'invalid' };
  return { kind: 'after', cursor: { epoch: resume.epoch, seq, id: resume.id } };
}

/** Asks the log for the rest of the order: epoch, ahead, trimmed, fork, live, replay. */
export function findStart(
  log: Pick<EventLog, 'read' | 'stream'>,
  userId: UserId,
  { decision, limits }: { readonly decision: ResumeDecision; readonly limits: PageLimits },
): Promise<StartPosition> {
  if (decision.kind === 'after') return startAfter(log, userId, { after: decision.cursor, ...limits });
  const stream = log.stream(userId);
  // No async function for what nearly every connect asks.
  if (decision.kind === 'live') return stream.then(liveAt);
  if (decision.kind === 'invalid') return stream.then((info) => resetTo(info, 'epoch'));
  return stream.then(({ epoch, first }) =>
    startAfter(log, userId, { after: { epoch, seq: first - 1 }, ...limits }),
  );
}

async function startAfter(
  log: Pick<EventLog, 'read' | 'stream'>,
  userId: UserId,
  request: { readonly after: Cursor } & PageLimits,
): Promise<StartPosition> {
  const result = await log.read(userId, request);
  if (result.kind === 'reset') return resetTo(result.stream, result.reason);
  // Read first, then asked where the stream stands: so its head is never below what the page holds.
  const stream = await log.stream(userId);
  if (stream.epoch !== request.after.epoch) return resetTo(stream, 'epoch');
  const { seq } = request.after;
  const resume: ResumeInfo = { mode: seq === stream.head ? 'live' : 'replay', from: seq + 1 };
  return { stream, resume, position: request.after, page: result };
}

function liveAt(stream: StreamInfo): StartPosition {
  const resume: ResumeInfo = { mode: 'live', from: stream.head + 1 };
  return { stream, resume, position: headOf(stream), page: undefined };
}

/** The cursor cannot be honoured: live from the head. */
export function resetTo(stream: StreamInfo, reason: ResetReason): StartPosition {
  const resume: ResumeInfo = { mode: 'reset', from: stream.head + 1, reason };
  return { stream, resume, position: headOf(stream), page: undefined };
}

/** The cursor of a client that has everything. */
function headOf(stream: StreamInfo): Cursor {
  const { epoch, head, headId } = stream;
  return headId === null ? { epoch, seq: head } : { epoch, seq: head, id: headId };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

function isIdText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_ID_CHARS;
}

function parseSeq(value: unknown): number | undefined {
  const seq = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof seq === 'number' && Number.isSafeInteger(seq) && seq >= 0 ? seq : undefined;
}
