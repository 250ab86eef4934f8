import { writeFile } from 'node:fs/promises';
import { type HeapProfiler, type Profiler, Session } from 'node:inspector/promises';

/** What is profiled: each disturbs the other, so one at a time. */
export type ProfileKind = 'cpu' | 'allocations';

/** A profile to be taken of what is measured. */
export interface ProfileRequest {
  readonly kind: ProfileKind;
  /** Where it is written. */
  readonly file: string;
}

/** One frame of a profile, with what it did by itself. */
export interface FrameShare {
  readonly frame: string;
  /** Of the profile's whole, 0 to 1. */
  readonly share: number;
}

const CPU_INTERVAL_MICROS = 200;
const ALLOCATION_INTERVAL_BYTES = 16_384;

/** Profiles this process by V8's own inspector. */
export class Profiling {
  readonly #session = new Session();
  readonly #kind: ProfileKind;

  constructor(kind: ProfileKind) {
    this.#kind = kind;
  }

  async start(): Promise<void> {
    this.#session.connect();
    if (this.#kind === 'cpu') {
      await this.#session.post('Profiler.enable');
      await this.#session.post('Profiler.setSamplingInterval', { interval: CPU_INTERVAL_MICROS });
      await this.#session.post('Profiler.start');
    } else {
      await this.#session.post('HeapProfiler.startSampling', {
        samplingInterval: ALLOCATION_INTERVAL_BYTES,
        // What was collected again counts as well: allocation is what costs.
        includeObjectsCollectedByMajorGC: true,
        includeObjectsCollectedByMinorGC: true,
      });
    }
  }

  /** Writes the profile to `file`, for the browser's developer tools; settles to its frames, the dearest first. */
  async stop(file: string): Promise<readonly FrameShare[]> {
    const { profile } =
      this.#kind === 'cpu'
        ? await this.#session.post('Profiler.stop')
        : await this.#session.post('HeapProfiler.stopSampling');
    this.#session.disconnect();
    await writeFile(file, JSON.stringify(profile));
    return 'nodes' in profile ? cpuShares(profile) : allocationShares(profile);
  }
}

/** Waiting, and the inspector's own answer to being started and stopped. */
const NOT_WORK: ReadonlySet<string> = new Set(['(idle)', 'dispatch']);

/** Self time of each frame; what is no work is no part of the whole. */
export function cpuShares(profile: Profiler.Profile): readonly FrameShare[] {
  const frameOf = new Map(profile.nodes.map((node) => [node.id, frameName(node.callFrame)]));
  const micros = new Map<string, number>();
  for (const [index, id] of (profile.samples ?? []).entries()) {
    const frame = frameOf.get(id);
    if (frame === undefined || NOT_WORK.has(frame)) continue;
    micros.set(frame, (micros.get(frame) ?? 0) + (profile.timeDeltas?.[index] ?? 0));
  }
  return sharesOf(micros);
}

/** Bytes that each frame allocated by itself. */
export function allocationShares(profile: HeapProfiler.SamplingHeapProfile): readonly FrameShare[] {
  const bytes = new Map<string, number>();
  const visit = (node: HeapProfiler.SamplingHeapProfileNode): void => {
    const frame = frameName(node.callFrame);
    bytes.set(frame, (bytes.get(frame) ?? 0) + node.selfSize);
    for (const child of node.children) visit(child);
  };
  visit(profile.head);
  return sharesOf(bytes);
}

function sharesOf(amounts: ReadonlyMap<string, number>): readonly FrameShare[] {
  const total = [...amounts.values()].reduce((sum, amount) => sum + amount, 0);
  return [...amounts]
    .map(([frame, amount]) => ({ frame, share: total === 0 ? 0 : amount / total }))
    .sort((a, b) => b.share - a.share);
}

function frameName({
  functionName,
  url,
  lineNumber,
}: {
  functionName: string;
  url: string;
  lineNumber: number;
}): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  const path = url.replace(/^file:\/\//, '').split('/');
  return `${name} ${path.slice(-3).join('/')}:${lineNumber + 1}`;
}
