import type { Clock } from '@runwire/kernel';
import type { ErrorBody } from '@runwire/protocol/wire';

/** Why upgrades are refused, as far as a plain request can tell (protocol §2). */
export type UpgradeAnswer =
  /** 400, 403, 404: trying again is of no use. */
  | { readonly kind: 'stop'; readonly status: number; readonly error: Pick<ErrorBody, 'code' | 'message'> }
  /** 429, 503 with `Retry-After`. */
  | { readonly kind: 'wait'; readonly delayMs: number }
  /** 426: an upgrade would be accepted, so something on the way blocks it. */
  | { readonly kind: 'accepted' }
  | { readonly kind: 'unknown' };

/** What the probe needs. */
export interface UpgradeProbeDeps {
  readonly fetch: typeof fetch | undefined;
  readonly clock: Clock;
  readonly url: string;
}

const TIMEOUT_MS = 10_000;
const UNKNOWN = { kind: 'unknown' } as const;

/** Asks once. Never rejects; settles within 10 s, at once when `abort` is. */
export async function probeUpgrade(deps: UpgradeProbeDeps, abort: AbortController): Promise<UpgradeAnswer> {
  const timer = deps.clock.setTimer(TIMEOUT_MS, () => abort.abort());
  try {
    const response = await deps.fetch?.(deps.url.replace(/^ws/, 'http'), {
      signal: abort.signal,
      credentials: 'omit',
      redirect: 'manual',
    });
    return response === undefined ? UNKNOWN : await answerOf(response);
  } catch {
    // No network, a foreign origin, or too late: the upgrade is tried again as after any other failure.
    return UNKNOWN;
  } finally {
    timer.cancel();
  }
}

async function answerOf(response: Response): Promise<UpgradeAnswer> {
  const { status, headers } = response;
  if (status === 400 || status === 403 || status === 404) {
    return { kind: 'stop', status, error: await errorOf(response) };
  }
  await response.body?.cancel();
  if (status === 426) return { kind: 'accepted' };
  if (status !== 429 && status !== 503) return UNKNOWN;
  // In its form of seconds; a date is not what a Runwire server sends.
  return { kind: 'wait', delayMs: Math.max(0, Number(headers.get('retry-after')) * 1_000) || 0 };
}

async function errorOf(response: Response): Promise<Pick<ErrorBody, 'code' | 'message'>> {
  const message = `The server refused with status ${response.status}.`;
  const body = (await response.json().catch(() => null)) as { error?: Partial<ErrorBody> } | null;
  return { code: 'FORBIDDEN', message, ...body?.error };
}
