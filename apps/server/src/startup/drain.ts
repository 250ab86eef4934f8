import type { RunSupervisor } from '@runwire/agent-handler';
import type { ConnectionPool } from '@runwire/connection-pool';
import { type Clock, createDeferred } from '@runwire/kernel';

/** What is drained. */
export interface DrainDeps {
  readonly clock: Clock;
  readonly pool: Pick<ConnectionPool, 'drain' | 'close'>;
  readonly supervisor: Pick<RunSupervisor, 'drain'>;
}

/** Share of the time in which runs may end by themselves; then they are stopped. */
const RUNS_SHARE = 0.8;
/** Share of the time after which connections close, whatever still runs. */
const CONNECTIONS_SHARE = 0.9;

/**
 * Empties a server that stops: asks its clients to go elsewhere, spread over `windowMs`, and lets its runs end
 * meanwhile. A client that has nowhere to go keeps its connection as long as there is something to see: until
 * the runs have ended and the window is over. Then what is left is closed with 1012, and resumes after the
 * restart.
 */
export async function drainServer(
  { clock, pool, supervisor }: DrainDeps,
  time: { readonly windowMs: number; readonly remainingMs: number },
): Promise<void> {
  const { windowMs, remainingMs } = time;
  const left = pool.drain({ timeoutMs: remainingMs * CONNECTIONS_SHARE });
  const windowOver = createDeferred();
  const timer = clock.setTimer(windowMs, () => windowOver.resolve());
  await Promise.all([
    supervisor.drain({ timeoutMs: remainingMs * RUNS_SHARE }),
    Promise.race([left, windowOver.promise]),
  ]);
  timer.cancel();
  await pool.close();
  await left;
}
