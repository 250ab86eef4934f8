import type { ResetReason, ResumeRequest, StreamInfo } from '@runwire/protocol';

/**
 * Decides whether a stream can honour a cursor, in the order of protocol §5: `epoch` when the epoch differs or
 * a value does not parse, `ahead` above the head, `trimmed` below `first - 1`, `fork` when the id is not that
 * of the event at `seq`. Undefined means: read on. Every log decides by this function.
 *
 * `idAt` is asked for `seq` from `first - 1` to the head, never for 0: a cursor there has no id, and what it
 * carries is not looked at. An id that the log no longer knows counts as different.
 */
export function checkCursor(
  stream: StreamInfo,
  cursor: ResumeRequest,
  idAt: (seq: number) => string | undefined,
): ResetReason | undefined {
  const { epoch, seq, id } = cursor;
  if (epoch !== stream.epoch || !isPosition(seq)) return 'epoch';
  if (id !== undefined && typeof id !== 'string') return 'epoch';
  if (seq > stream.head) return 'ahead';
  if (seq < stream.first - 1) return 'trimmed';
  if (seq > 0 && id !== undefined && id !== idAt(seq)) return 'fork';
  return undefined;
}

function isPosition(seq: unknown): seq is number {
  return Number.isSafeInteger(seq) && Number(seq) >= 0;
}
