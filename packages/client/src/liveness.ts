import type { Clock, TimerHandle } from '@runwire/kernel';

/** Finds a dead connection. */
export interface Liveness {
  /** A frame came: whatever it is, it is life. */
  heard(): void;
  /** The page came back: the connection must answer soon. */
  probe(): void;
  stop(): void;
}

/** What liveness needs of its connection. */
export interface LivenessDeps {
  readonly clock: Clock;
  /** Between the server's heartbeats. */
  readonly heartbeatIntervalMs: number;
  readonly ping: () => void;
  /** Once: the owner then stops the watch. */
  readonly dead: () => void;
}

/** Heartbeats vary by a tenth: one that is this late was lost, and a ping asks. */
const PING_AFTER_INTERVALS = 1.5;
/** 45 s at the default interval; the promise is 50 s. */
const DEAD_AFTER_INTERVALS = 2.25;
/** The promise after `online` and `visible` is 3 s. */
const PROBE_TIMEOUT_MS = 2_500;

/** Starts watching one connection. */
export function createLiveness({ clock, heartbeatIntervalMs, ping, dead }: LivenessDeps): Liveness {
  let heardAtMs = clock.monotonicMs();
  let pinged = false;
  let probeTimer: TimerHandle | undefined;

  const check = (): void => {
    const silentMs = clock.monotonicMs() - heardAtMs;
    if (silentMs >= heartbeatIntervalMs * DEAD_AFTER_INTERVALS) {
      dead();
      return;
    }
    if (!pinged && silentMs >= heartbeatIntervalMs * PING_AFTER_INTERVALS) {
      pinged = true;
      ping();
    }
    const limit = pinged ? DEAD_AFTER_INTERVALS : PING_AFTER_INTERVALS;
    // Whole milliseconds: a remainder too small to move the clock would be due again and again.
    timer = clock.setTimer(Math.ceil(heartbeatIntervalMs * limit - silentMs), check);
  };

  let timer = clock.setTimer(heartbeatIntervalMs * PING_AFTER_INTERVALS, check);

  return {
    heard() {
      heardAtMs = clock.monotonicMs();
      pinged = false;
      probeTimer?.cancel();
      probeTimer = undefined;
    },
    probe() {
      if (probeTimer !== undefined) return;
      ping();
      probeTimer = clock.setTimer(PROBE_TIMEOUT_MS, dead);
    },
    stop() {
      timer.cancel();
      probeTimer?.cancel();
    },
  };
}
