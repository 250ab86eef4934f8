import type { FsyncPolicy } from '@runwire/event-log-file';
import type { ClockHabits } from './actor-clock.js';
import type { BreakNews, Side } from './network/connection.js';
import type { DeviceOptions, Reach } from './network/device.js';
import type { PathConditions } from './network/pipe.js';
import type { PageOptions } from './page/page.js';
import type { Script } from './server/agent.js';
import type { DiskFault } from './server/disk.js';
import type { NodeLimits } from './server/limits.js';

/**
 * Everything that a seed decides beforehand: a world, and what happens to it. Plain JSON, so that a failing one can be
 * shrunk, read, and kept. What happens in between (delays, order) is drawn by the seed as it goes.
 */
export interface Plan {
  readonly seed: string;
  readonly world: WorldPlan;
  /** In the order of their instants. */
  readonly actions: readonly Action[];
}

/** What the world is made of. */
export interface WorldPlan {
  readonly log: LogPlan;
  /** Reads of the log settle up to so much later than they were made. */
  readonly maxReadMs: number;
  /** Server processes at one time. */
  readonly nodes: number;
  readonly limits: NodeLimits;
  readonly nodeClock: ClockHabits;
  readonly maxTransactionMs: number;
  readonly tokenLifetimeMs: number;
  readonly retryOnCrash: boolean;
  readonly tabs: readonly TabPlan[];
}

/** Where events are kept. `memory` dies with its process; `shared` outlives them all, and several may use it. */
export type LogPlan =
  | { readonly kind: 'memory' }
  | { readonly kind: 'shared'; readonly maxLatencyMs: number }
  | {
      readonly kind: 'file';
      readonly fsync: FsyncPolicy;
      readonly fsyncIntervalMs: number;
      readonly maxSegmentBytes: number;
    };

/** One tab of one user. */
export interface TabPlan {
  /** `a1`: the first tab of the user `a`. */
  readonly name: string;
  readonly user: string;
  readonly page: PageOptions;
  readonly isPage: boolean;
  readonly webSockets: DeviceOptions['webSockets'];
  readonly path: PathConditions;
  readonly clock: ClockHabits;
  /** When it is opened. */
  readonly opensAtMs: number;
}

/** How a machine or a process goes down. `power`: with what its disk had not synced yet. */
export type CrashKind = 'kill' | 'power';

/** Where in its work a process can be killed, to the instant. */
export type CrashPoint = 'now' | 'transaction' | 'committed' | 'append' | 'appended' | 'write' | 'frame';

/** One thing that a user, the network or fate does. */
export type Action = { readonly atMs: number } & (
  | { readonly kind: 'send'; readonly tab: string; readonly script: Script; readonly thread: 'new' | 'last' }
  | { readonly kind: 'stop'; readonly tab: string }
  | {
      readonly kind: 'reload';
      readonly tab: string;
      readonly how: 'goodbye' | 'fin' | 'rst' | 'silent';
      readonly awayMs: number;
    }
  | { readonly kind: 'offline'; readonly tab: string; readonly ms: number; readonly isTold: boolean }
  | { readonly kind: 'visible'; readonly tab: string }
  | { readonly kind: 'cut'; readonly tab: string; readonly news: BreakNews; readonly answersStrays: boolean }
  | {
      readonly kind: 'cutAfter';
      readonly tab: string;
      readonly to: Side;
      readonly bytes: number;
      readonly news: BreakNews;
    }
  | { readonly kind: 'stall'; readonly tab: string; readonly ms: number }
  | { readonly kind: 'reach'; readonly tab: string; readonly reach: Reach; readonly ms: number }
  | { readonly kind: 'slow'; readonly tab: string; readonly bytesPerSecond: number; readonly ms: number }
  | { readonly kind: 'deaf'; readonly tab: string; readonly ms: number }
  | { readonly kind: 'freeze'; readonly tab: string; readonly ms: number }
  | { readonly kind: 'jump'; readonly who: string; readonly ms: number }
  | { readonly kind: 'block'; readonly node: number; readonly ms: number }
  | {
      readonly kind: 'crash';
      readonly node: number;
      readonly how: CrashKind;
      readonly point: CrashPoint;
      /** The point is passed so often before. */
      readonly after: number;
      readonly news: 'fin' | 'rst' | 'silent';
      /** Of what was not synced, a power loss leaves so much. */
      readonly keptBytes: number;
      readonly downMs: number;
    }
  | { readonly kind: 'restart'; readonly node: number; readonly downMs: number }
  | { readonly kind: 'disk'; readonly fault: DiskFault; readonly ms: number }
  | { readonly kind: 'database'; readonly ms: number }
  | { readonly kind: 'tokens'; readonly fault: 'expired' | 'failing' | 'slow'; readonly ms: number }
  | { readonly kind: 'revoke'; readonly user: string }
  | { readonly kind: 'delete'; readonly user: string }
  | { readonly kind: 'trim'; readonly user: string; readonly keep: number }
);

/** An action of one kind. */
export type ActionOf<K extends Action['kind']> = Extract<Action, { readonly kind: K }>;
