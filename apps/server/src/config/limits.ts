import { LIMITS } from '@runwire/protocol';

/** The limits of protocol §7a; those a server decides have one variable `RUNWIRE_<NAME>` each. */
export type Limits = { readonly [K in keyof typeof LIMITS]: number };

/** The variable of a limit: `maxConnectionsPerUser` → `RUNWIRE_MAX_CONNECTIONS_PER_USER`. */
export function limitVariable(name: string): string {
  return `RUNWIRE_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** What is the client's to decide, fixed by the protocol, or of what this version does not offer. */
const NO_VARIABLE: ReadonlySet<keyof Limits> = new Set([
  'ackDelayMs',
  'ackEveryBytes',
  'approvalTimeoutMs',
  'authExpiringLeadRatio',
  'authExpiringMinLeadMs',
  'defaultRetryAfterMs',
  'heartbeatJitter',
  'maxClientFrameBytes',
  'maxFramesBeforeAuthentication',
  'maxHeldThreadEvents',
  'maxQueuedPerThread',
  'reconnectMaxDelayMs',
  'reconnectMinDelayMs',
  'reconnectStableMs',
  'reconnectWindowMs',
  'resyncTimeoutMs',
  'silenceExtraMsPerKib',
]);

/** The limits that can be set, by their variable. A variable that would change nothing is none. */
export const LIMIT_BY_VARIABLE: ReadonlyMap<string, keyof Limits> = new Map(
  (Object.keys(LIMITS) as (keyof Limits)[])
    .filter((name) => !NO_VARIABLE.has(name))
    .map((name) => [limitVariable(name), name]),
);

/** What must hold between limits; each line says what is wrong, in terms of the variables. */
export function limitConflicts(limits: Limits): readonly string[] {
  const conflicts: string[] = [];
  const expect = (holds: boolean, message: string): void => {
    if (!holds) conflicts.push(message);
  };
  expect(
    limits.runTimeoutMs >= limits.runIdleTimeoutMs,
    'RUNWIRE_RUN_TIMEOUT_MS must be at least RUNWIRE_RUN_IDLE_TIMEOUT_MS',
  );
  expect(
    limits.runIdleTimeoutMs > limits.toolTimeoutMs,
    'RUNWIRE_RUN_IDLE_TIMEOUT_MS must be more than RUNWIRE_TOOL_TIMEOUT_MS',
  );
  expect(
    limits.silenceTimeoutMs >= 1.4 * limits.heartbeatIntervalMs,
    'RUNWIRE_SILENCE_TIMEOUT_MS must be at least 1.4 × RUNWIRE_HEARTBEAT_INTERVAL_MS',
  );
  expect(
    limits.drainWindowMs < limits.shutdownTimeoutMs,
    'RUNWIRE_DRAIN_WINDOW_MS must be less than RUNWIRE_SHUTDOWN_TIMEOUT_MS',
  );
  expect(
    limits.maxEventBytes >= limits.maxMessageBytes + ENVELOPE_BYTES,
    `RUNWIRE_MAX_EVENT_BYTES must be at least RUNWIRE_MAX_MESSAGE_BYTES + ${ENVELOPE_BYTES}`,
  );
  expect(
    limits.maxEventBytes >= ESCAPED_BYTES * limits.maxDeltaTextBytes + ENVELOPE_BYTES,
    `RUNWIRE_MAX_EVENT_BYTES must be at least ${ESCAPED_BYTES} × RUNWIRE_MAX_DELTA_TEXT_BYTES + ${ENVELOPE_BYTES}`,
  );
  return conflicts;
}

/** What stands around the text of an event. */
const ENVELOPE_BYTES = 1_024;
/** What JSON makes of one byte, at worst: a control character. */
const ESCAPED_BYTES = 6;
