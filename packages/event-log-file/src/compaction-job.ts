import type { Segment, Segments } from './segments.js';

/** A segment is rewritten when less of it than this is live. */
const MIN_LIVE_SHARE = 0.5;
/** Neighbours are merged when both together are no more of a full segment than this. */
const MAX_MERGED_SHARE = 0.25;

/**
 * The next segments to be written anew as one: one of which too little is live, or two small neighbours, so
 * that their number is bounded by what is in them. Undefined when all is well.
 */
export function nextJob(segments: Segments, maxSegmentBytes: number): readonly Segment[] | undefined {
  const sealed = segments.all().filter((segment) => segment !== segments.active);
  const wasteful = sealed.find(({ liveBytes, end, headerBytes }) => {
    return liveBytes === 0 || liveBytes < (end - headerBytes) * MIN_LIVE_SHARE;
  });
  if (wasteful !== undefined) return [wasteful];
  for (const [index, segment] of sealed.entries()) {
    const next = sealed[index + 1];
    if (next !== undefined && segment.end + next.end <= maxSegmentBytes * MAX_MERGED_SHARE)
      return [segment, next];
  }
  return undefined;
}
