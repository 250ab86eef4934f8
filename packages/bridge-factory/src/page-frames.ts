import type { EventFrame } from './frames.js';
import { packFrames, packLines } from './frames.js';
import { mergePage } from './merge.js';
import type { LogPage } from './resume.js';

/** The frames of a page: merged, unless there is nothing to merge, then as the log has it. */
export function packPage({ events, lines }: LogPage, maxFrameBytes: number): readonly EventFrame[] {
  const merged = mergePage(events, maxFrameBytes, lines?.bytes);
  if (lines === undefined || merged.length < events.length) return packFrames(merged, maxFrameBytes);
  return packLines(lines, maxFrameBytes, (index) => ({
    seq: merged[index]?.seq ?? 0,
    id: merged[index]?.id,
  }));
}
