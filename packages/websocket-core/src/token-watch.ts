import type { Clock } from '@runwire/kernel';
import { LIMITS } from '@runwire/protocol';
import type { Agenda } from './agenda.js';
import type { Principal } from './contract.js';
import type { SocketLimits } from './options.js';

/** What watching a token needs of its connection. */
export interface TokenWatchDeps {
  readonly clock: Clock;
  readonly agenda: Agenda;
  readonly limits: Pick<SocketLimits, 'tokenGraceMs'>;
  /** The token expires soon. Once per token. */
  warn(expiresAtMs: number): void;
  /** The token expired and was not refreshed within the grace. */
  expired(): void;
}

/** Watches the token that counts now. Its instants are wall clock, so a jump of the clock is followed. */
export class TokenWatch {
  readonly #deps: TokenWatchDeps;
  #principal: Principal | undefined;
  #warned = false;

  constructor(deps: TokenWatchDeps) {
    this.#deps = deps;
  }

  /** Begins, or begins again with a refreshed token. */
  watch(principal: Principal): void {
    this.#principal = principal;
    this.#warned = false;
    this.review();
  }

  /** Does what is due by the wall clock and schedules the next. */
  review(): void {
    const principal = this.#principal;
    if (principal === undefined) return;
    const { agenda, clock, limits } = this.#deps;
    const nowMs = clock.nowMs();
    const endAtMs = principal.expiresAtMs + limits.tokenGraceMs;
    if (nowMs >= endAtMs) {
      this.stop();
      this.#deps.expired();
      return;
    }
    if (!this.#warned && nowMs >= warningAtMs(principal)) {
      this.#warned = true;
      this.#deps.warn(principal.expiresAtMs);
    }
    const nextAtMs = this.#warned ? endAtMs : warningAtMs(principal);
    agenda.set('token', clock.monotonicMs() + (nextAtMs - nowMs), () => this.review());
  }

  stop(): void {
    this.#principal = undefined;
    this.#deps.agenda.cancel('token');
  }
}

/** When `auth_expiring` is sent: max(60 s, 20 % of the lifetime) before the expiry (protocol §3). */
export function warningAtMs(principal: Pick<Principal, 'issuedAtMs' | 'expiresAtMs'>): number {
  const lifetimeMs = principal.expiresAtMs - principal.issuedAtMs;
  return (
    principal.expiresAtMs - Math.max(LIMITS.authExpiringMinLeadMs, lifetimeMs * LIMITS.authExpiringLeadRatio)
  );
}
