import { inventFault, inventSend } from './invent-action.js';
import type { Action, LogPlan, Plan, TabPlan, WorldPlan } from './plan.js';
import { createPrng, type Prng } from './prng.js';
import type { NodeLimits } from './server/limits.js';

/** Invents the plan of a seed. The same seed always gives the same plan. */
export function generatePlan(seed: string): Plan {
  const prng = createPrng(`plan ${seed}`);
  const world = inventWorld(prng.fork('world'));
  return { seed, world, actions: inventActions(prng.fork('actions'), world) };
}

/** The same plan for clients that never fall back to server-sent events. */
export function withoutStreams(plan: Plan): Plan {
  return { ...plan, world: { ...plan.world, tabs: plan.world.tabs.map(overWebSocket) } };
}

function inventWorld(prng: Prng): WorldPlan {
  const log = inventLog(prng);
  const users = ['a', 'b', 'c'].slice(
    0,
    prng.weighted({ 1: 4, 2: 4, 3: 1 } as Record<string, number>) as unknown as number,
  );
  return {
    log,
    maxReadMs: prng.chance(0.5) ? prng.magnitude(1, 60) : 0,
    nodes: log.kind === 'shared' ? prng.int(1, 2) : 1,
    limits: inventLimits(prng),
    nodeClock: inventClock(prng),
    maxTransactionMs: prng.magnitude(1, 60),
    tokenLifetimeMs: prng.chance(0.3) ? prng.int(62_000, 90_000) : 3_600_000,
    retryOnCrash: prng.chance(0.4),
    tabs: inventUsers(prng, users).map((tab) => (log.kind === 'shared' ? overWebSocket(tab) : tab)),
  };
}

function inventLog(prng: Prng): LogPlan {
  switch (prng.weighted({ file: 7, memory: 1, shared: 2 })) {
    case 'memory':
      return { kind: 'memory' };
    case 'shared':
      return { kind: 'shared', maxLatencyMs: prng.magnitude(1, 40) };
    case 'file':
      return {
        kind: 'file',
        fsync: prng.weighted({ interval: 3, always: 2, never: 1 }),
        fsyncIntervalMs: prng.magnitude(100, 5_000),
        maxSegmentBytes: prng.magnitude(2_048, 262_144),
      };
  }
}

function inventLimits(prng: Prng): NodeLimits {
  const maxFrameBytes = prng.magnitude(512, 16_384);
  const socketBufferLowBytes = prng.magnitude(256, 16_384);
  const heartbeatIntervalMs = prng.magnitude(2_000, 20_000);
  return {
    maxFrameBytes,
    maxUnackedBytes: prng.magnitude(1_024, 65_536),
    socketBufferLowBytes,
    socketBufferHighBytes: socketBufferLowBytes * prng.int(1, 4),
    maxPageEvents: prng.magnitude(1, 256),
    maxPageBytes: prng.magnitude(512, 65_536),
    rollupWindowMs: prng.magnitude(1, 60),
    maxLoggedBytesPerSecond: prng.magnitude(4_096, 1_048_576),
    maxPendingBytes: prng.magnitude(512, 65_536),
    heartbeatIntervalMs,
    silenceTimeoutMs: Math.round(heartbeatIntervalMs * 1.5),
    maxConnectionsPerUser: prng.chance(0.2) ? prng.int(1, 3) : 10,
    tokenGraceMs: 5_000,
    drainWindowMs: prng.magnitude(100, 3_000),
    shutdownTimeoutMs: prng.magnitude(4_000, 12_000),
    runTimeoutMs: prng.chance(0.1) ? 5_000 : 60_000,
    idleTimeoutMs: 8_000,
    stopTimeoutMs: 1_000,
    toolTimeoutMs: 3_000,
    retentionEvents: prng.chance(0.15) ? prng.int(5, 80) : 1_000_000,
  };
}

function inventClock(prng: Prng) {
  return {
    skewMs: prng.chance(0.2) ? prng.int(-4_000, 4_000) : 0,
    maxTimerDelayMs: prng.magnitude(1, 40),
    maxTimerLeadMs: prng.chance(0.3) ? 0.9 : 0,
  };
}

function inventUsers(prng: Prng, users: readonly string[]): TabPlan[] {
  return users.flatMap((user) => inventTabs(prng, user));
}

function inventTabs(prng: Prng, user: string): TabPlan[] {
  const count = Number(prng.weighted({ '1': 5, '2': 3, '3': 1 }));
  return Array.from({ length: count }, (_, index) => inventTab(prng, `${user}${index + 1}`, user));
}

/** Where processes share a log, a post may come to another than the one that has its stream. */
function overWebSocket(tab: TabPlan): TabPlan {
  return { ...tab, webSockets: 'pass', page: { ...tab.page, transport: 'websocket' } };
}

function inventTab(prng: Prng, name: string, user: string): TabPlan {
  const transport = prng.weighted({ websocket: 16, auto: 3, sse: 1 });
  return {
    name,
    user,
    page: {
      keeping: prng.weighted({ stored: 4, replayed: 3, threads: 3 }),
      transport,
      maxBufferedEvents: prng.magnitude(1, 1_024),
      readerPaceMs: prng.chance(0.25) ? prng.magnitude(1, 120) : 0,
      keepsCommands: prng.chance(0.5),
      failsOnceIn: prng.chance(0.1) ? prng.magnitude(5, 60) : 0,
      onFailure: prng.pick(['retry', 'stop']),
    },
    isPage: prng.chance(0.7),
    // Whoever insists on WebSockets has a network for them.
    webSockets: transport === 'auto' ? prng.pick(['pass', 'refused', 'hang']) : 'pass',
    path: {
      latencyMs: prng.magnitude(1, 120),
      jitterMs: prng.magnitude(1, 60),
      bytesPerSecond: prng.chance(0.2) ? prng.magnitude(4_000, 100_000) : 10_000_000,
      windowBytes: prng.magnitude(1_024, 131_072),
      segmentBytes: prng.chance(0.15) ? prng.magnitude(20, 500) : 1_460,
    },
    clock: inventClock(prng),
    opensAtMs: prng.chance(0.7) ? prng.int(0, 300) : prng.int(0, 8_000),
  };
}

/** The more that goes wrong the less of it is understood: most seeds have little. It goes wrong while something runs. */
function inventActions(prng: Prng, world: WorldPlan): Action[] {
  const durationMs = prng.magnitude(1_000, 20_000);
  const sends = Array.from({ length: prng.int(1, 5) }, (_, number) =>
    inventSend(prng.fork(`send ${number}`), { world, number, atMs: prng.int(50, durationMs) }),
  );
  const faults = Array.from({ length: prng.magnitude(1, 16) }, (_, number) => {
    const startMs = prng.chance(0.7) ? prng.pick(sends).atMs : prng.int(0, durationMs);
    return inventFault(prng.fork(`fault ${number}`), { world, atMs: startMs + prng.magnitude(1, 5_000) });
  });
  return [...sends, ...faults].sort((a, b) => a.atMs - b.atMs);
}
