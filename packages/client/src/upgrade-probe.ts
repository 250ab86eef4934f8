import type { Clock } from '@runwire/kernel';
import type { ErrorBody } from '@runwire/protocol';

/** Why upgrades are refused, as far as a plain request can tell (protocol §2). */
export type UpgradeAnswer =
  /** 400, 403, 404: trying again is of no use. */
  | { readonly kind: 'stop'; readonly status: number; readonly error: Pick<ErrorBody, 'code' | 'message'> }
  /** 429, 503 with `Retry-After`. */
  | { readonly kind: 'wait'; readonly delayMs: number }
  | { readonly kind: 'unknown' };

/** What the probe needs. */
export interface UpgradeProbeDeps {
  readonly fetch?: typeof fetch;
  readonly clock: Clock;
  readonly url: string;
}

const TIMEOUT_MS = 10_000;

/** Asks once. Never rejects; settles within 10 s, at once when `signal` aborts. */
export async function probeUpgrade(deps: UpgradeProbeDeps, signal: AbortSignal): Promise<UpgradeAnswer> {
  if (deps.fetch === undefined) return { kind: 'unknown' };
  const abort = new AbortController();
  const timer = deps.clock.setTimer(TIMEOUT_MS, () => abort.abort());
  const forward = (): void => abort.abort();
  signal.addEventListener('abort', forward);
  try {
    const response = await deps.fetch(deps.url.replace(/^ws/, 'http'), {
      signal: abort.signal,
      credentials: 'omit',
      redirect: 'manual',
    });
    return await answerOf(response);
  } catch {
    // No network, a foreign origin, or too late: the upgrade is tried again as after any other failure.
    return { kind: 'unknown' };
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', forward);
  }
}

async function answerOf(response: Response): Promise<UpgradeAnswer> {
  const { status } = response;
  if (status === 400 || status === 403 || status === 404) {
    return { kind: 'stop', status, error: await errorOf(response) };
  }
  await response.body?.cancel();
  if (status !== 429 && status !== 503) return { kind: 'unknown' };
  return { kind: 'wait', delayMs: retryAfterMs(response.headers.get('retry-after')) };
}

async function errorOf(response: Response): Promise<Pick<ErrorBody, 'code' | 'message'>> {
  const fallback = {
    code: 'FORBIDDEN',
    message: `The server refused with status ${response.status}.`,
  } as const;
  try {
    const body = (await response.json()) as { error?: Partial<ErrorBody> };
    return { ...fallback, ...body.error };
  } catch {
    return fallback;
  }
}

/** The header in its form of seconds; a date is not what a Runwire server sends. */
function retryAfterMs(header: string | null): number {
  const ms = Number(header) * 1_000;
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}
