import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { AuthError } from './errors.js';

/** Slows down guessing: by account and by address. */
export interface Throttle {
  /** Counts an attempt. @throws AuthError `TOO_MANY_ATTEMPTS` with `details.retryAfterMs` */
  attempt(email: string, remoteAddress: string): Promise<void>;
  /** The attempt succeeded: the account's count starts again. */
  succeeded(email: string): Promise<void>;
}

/** How many attempts are allowed in a window. */
export interface ThrottleOptions {
  readonly maxAttemptsPerAccount: number;
  readonly maxAttemptsPerAddress: number;
  readonly windowMs: number;
}

/** Creates the throttle of sign-in and sign-up. Counts are kept in memory and vanish with their window. */
export function createThrottle(options: ThrottleOptions): Throttle {
  const duration = options.windowMs / 1_000;
  const accounts = new RateLimiterMemory({ points: options.maxAttemptsPerAccount, duration });
  const addresses = new RateLimiterMemory({ points: options.maxAttemptsPerAddress, duration });
  return {
    async attempt(email, remoteAddress) {
      await consume(addresses, remoteAddress);
      await consume(accounts, email);
    },
    async succeeded(email) {
      await accounts.delete(email);
    },
  };
}

async function consume(limiter: RateLimiterMemory, key: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    const retryAfterMs = refusal.msBeforeNext;
    const minutes = Math.ceil(retryAfterMs / 60_000);
    throw new AuthError('TOO_MANY_ATTEMPTS', `Too many attempts. Try again in ${minutes} min.`, {
      details: { retryAfterMs },
    });
  }
}
