import type { Clock, TimerHandle } from '@runwire/kernel';
import { CLIENT_LIMITS } from '@runwire/protocol/wire';

/** Tells the server what was applied (protocol §3, Liveness and flow). */
export interface Acks {
  /** A frame of `bytes` was handled; `applied` is the position reached. While `behind` it acks with the end of the turn. */
  note(bytes: number, applied: number, behind: boolean): void;
  /** Sends what is due and has no more timers. */
  stop(): void;
}

/** What acks need of their connection. */
export interface AcksDeps {
  readonly clock: Clock;
  readonly send: (seq: number) => void;
}

/** A server drops more than 100 acks a second, and a dropped last one would stall it: stay well below. */
const BURST = 30;
const REFILL_MS = 1_000 / 60;

/** Creates the acks of one connection, whose server has everything up to `from` acknowledged. */
export function createAcks({ clock, send }: AcksDeps, from: number): Acks {
  let acked = from;
  let reached = from;
  let unackedBytes = 0;
  let tokens = BURST;
  let refilledAtMs = clock.monotonicMs();
  let timer: TimerHandle | undefined;
  let dueAtMs = Number.POSITIVE_INFINITY;
  let stopped = false;
  let isTurnDue = false;

  const takeToken = (): boolean => {
    const nowMs = clock.monotonicMs();
    tokens = Math.min(BURST, tokens + (nowMs - refilledAtMs) / REFILL_MS);
    refilledAtMs = nowMs;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };

  const sendNow = (): void => {
    timer?.cancel();
    dueAtMs = Number.POSITIVE_INFINITY;
    unackedBytes = 0;
    if (stopped || reached <= acked) return;
    acked = reached;
    send(acked);
  };

  const sendIn = (delayMs: number): void => {
    const atMs = clock.monotonicMs() + delayMs;
    if (dueAtMs <= atMs) return;
    timer?.cancel();
    dueAtMs = atMs;
    timer = clock.setTimer(delayMs, () => {
      takeToken();
      sendNow();
    });
  };

  /** Frames that arrive together are acknowledged together: a thousand missed events are there a tenth sooner. */
  const sendWithTurn = (): void => {
    if (isTurnDue) return;
    isTurnDue = true;
    clock.nextTurn(() => {
      isTurnDue = false;
      if (stopped || reached <= acked) return;
      if (takeToken()) sendNow();
      else sendIn(REFILL_MS);
    });
  };

  return {
    note(bytes, applied, behind) {
      if (stopped) return;
      unackedBytes += bytes;
      reached = Math.max(reached, applied);
      if (reached <= acked) return;
      // As many as there are bytes to read, and the server waits for them: these need no token.
      if (unackedBytes >= CLIENT_LIMITS.ackEveryBytes) sendNow();
      else if (!behind) sendIn(CLIENT_LIMITS.ackDelayMs);
      else sendWithTurn();
    },
    stop() {
      sendNow();
      stopped = true;
    },
  };
}
