import { LIMITS } from '@runwire/protocol';
import type { Agenda } from './agenda.js';
import type { ConnectionHost } from './connection-host.js';
import type { Principal } from './contract.js';

/** Whose token is watched. */
export interface TokenWatchOwner {
  readonly agenda: Agenda;
  /** The token expires soon. Once per token. */
  warn(expiresAtMs: number): void;
  /** The token expired and was not refreshed within the grace. */
  expired(): void;
}

/** Watches the token that counts now. Its instants are wall clock, so a jump of the clock is followed. */
export class TokenWatch {
  readonly #host: ConnectionHost;
  readonly #owner: TokenWatchOwner;
  #principal: Principal | undefined;
  #warned = false;

  constructor(host: ConnectionHost, owner: TokenWatchOwner) {
    this.#host = host;
    this.#owner = owner;
  }

  /** Begins, or begins again with a refreshed token. */
  watch(principal: Principal): void {
    this.#principal = principal;
    this.#warned = false;
    this.review();
  }

  /** The job `token`: does what is due by the wall clock and schedules the next. */
  review(): void {
    const principal = this.#principal;
    if (principal === undefined) return;
    const { clock } = this.#host.deps;
    const nowMs = clock.nowMs();
    const endAtMs = principal.expiresAtMs + this.#host.options.limits.tokenGraceMs;
    if (nowMs >= endAtMs) {
      this.stop();
      this.#owner.expired();
      return;
    }
    if (!this.#warned && nowMs >= warningAtMs(principal)) {
      this.#warned = true;
      this.#owner.warn(principal.expiresAtMs);
    }
    const nextAtMs = this.#warned ? endAtMs : warningAtMs(principal);
    this.#owner.agenda.set('token', clock.monotonicMs() + (nextAtMs - nowMs));
  }

  stop(): void {
    this.#principal = undefined;
    this.#owner.agenda.cancel('token');
  }
}

/** When `auth_expiring` is sent: max(60 s, 20 % of the lifetime) before the expiry (protocol §3). */
export function warningAtMs(principal: Pick<Principal, 'issuedAtMs' | 'expiresAtMs'>): number {
  const lifetimeMs = principal.expiresAtMs - principal.issuedAtMs;
  return (
    principal.expiresAtMs - Math.max(LIMITS.authExpiringMinLeadMs, lifetimeMs * LIMITS.authExpiringLeadRatio)
  );
}
