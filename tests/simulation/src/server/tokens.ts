import type { IdGenerator, UserId } from '@runwire/id-generation';
import { type Clock, CodedError } from '@runwire/kernel';
import type { Principal } from '@runwire/websocket-core';
import type { Prng } from '../prng.js';
import type { Actor, Scheduler } from '../scheduler.js';

/** What is wrong with tokens. `expired`: new ones have; `failing`: nobody can verify; `slow`: it takes seconds. */
export type TokenFault = 'none' | 'expired' | 'failing' | 'slow';

/** What tokens are made of. */
export interface TokensDeps {
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  /** Of the issuer: right. */
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly ids: Pick<IdGenerator, 'sessionId'>;
  readonly lifetimeMs: number;
}

const USUAL_MS = 3;
const SLOW_MS = 7_000;

/** The issuer of access tokens and who verifies them: a double of sign-in and JWT. */
export class Tokens {
  fault: TokenFault = 'none';
  readonly #deps: TokensDeps;
  readonly #revoked = new Set<string>();
  readonly #issued = new Map<UserId, string[]>();

  constructor(deps: TokensDeps) {
    this.#deps = deps;
  }

  /** A token of the user, for a session of its own. */
  issue(userId: UserId): string {
    const { clock, ids, lifetimeMs } = this.#deps;
    const issuedAtMs = clock.nowMs();
    const expiresAtMs = issuedAtMs + (this.fault === 'expired' ? -1 : lifetimeMs);
    const token = [userId, ids.sessionId(), issuedAtMs, expiresAtMs].join('.');
    this.#issued.set(userId, [...(this.#issued.get(userId) ?? []), token]);
    return token;
  }

  /** None of the user's tokens so far counts any more. */
  revoke(userId: UserId): void {
    for (const token of this.#issued.get(userId) ?? []) this.#revoked.add(token);
  }

  /** Verifies a token as `process` does, by its own clock. */
  async verify(token: string, process: { readonly actor: Actor; readonly clock: Clock }): Promise<Principal> {
    const { scheduler, prng } = this.#deps;
    const ms = this.fault === 'slow' ? SLOW_MS : USUAL_MS;
    await scheduler.delay(process.actor, prng.next() * ms, 'verify token');
    if (this.fault === 'failing') throw new Error('The keys are not there.');
    const [userId, sessionId, issuedAtMs, expiresAtMs] = token.split('.');
    if (userId === undefined || sessionId === undefined) throw new CodedError('TOKEN_INVALID', 'No token.');
    if (this.#revoked.has(token)) throw new CodedError('TOKEN_INVALID', 'The session has ended.');
    const principal = {
      userId: userId as UserId,
      sessionId,
      issuedAtMs: Number(issuedAtMs),
      expiresAtMs: Number(expiresAtMs),
    };
    if (principal.expiresAtMs <= process.clock.nowMs()) throw new CodedError('TOKEN_EXPIRED', 'Too old.');
    return principal;
  }
}
