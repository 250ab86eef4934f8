import type { Clock, TimerHandle } from '@runwire/kernel';

interface Address {
  connections: number;
  /** Monotonic instants of the upgrades of the last second, at most the limit. */
  upgrades: number[];
}

/** What an address was told. */
export type AddressVerdict =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'refused'; readonly reason: 'address' | 'rate'; readonly retryAfterMs: number };

/** The limits of one address. */
export interface AddressLimits {
  readonly maxConnectionsPerIp: number;
  readonly maxUpgradesPerIpPerSecond: number;
  readonly retryAfterMs: number;
}

const SECOND_MS = 1_000;
const ALLOWED: AddressVerdict = Object.freeze({ kind: 'allowed' });

/**
 * Connections and upgrades by address. An address without connections is forgotten a second after its last
 * upgrade, so the book holds the addresses that are connected and those of the last second.
 */
export class AddressBook {
  readonly #clock: Clock;
  readonly #limits: AddressLimits;
  readonly #addresses = new Map<string, Address>();
  /** Addresses without connections, kept for their upgrades only. */
  readonly #idle = new Set<string>();
  #timer: TimerHandle | undefined;

  constructor(clock: Clock, limits: AddressLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get size(): number {
    return this.#addresses.size;
  }

  /** Counts an upgrade, and a connection when it is allowed. */
  enter(name: string): AddressVerdict {
    const nowMs = this.#clock.monotonicMs();
    const address = this.#addresses.get(name) ?? { connections: 0, upgrades: [] };
    const { maxConnectionsPerIp, maxUpgradesPerIpPerSecond, retryAfterMs } = this.#limits;
    forgetUntil(address.upgrades, nowMs - SECOND_MS);
    const [oldest] = address.upgrades;
    if (oldest !== undefined && address.upgrades.length >= maxUpgradesPerIpPerSecond) {
      return { kind: 'refused', reason: 'rate', retryAfterMs: Math.ceil(oldest + SECOND_MS - nowMs) };
    }
    address.upgrades.push(nowMs);
    if (address.connections >= maxConnectionsPerIp)
      return { kind: 'refused', reason: 'address', retryAfterMs };
    address.connections += 1;
    this.#addresses.set(name, address);
    this.#idle.delete(name);
    return ALLOWED;
  }

  leave(name: string): void {
    const address = this.#addresses.get(name);
    if (address === undefined) return;
    address.connections -= 1;
    if (address.connections > 0) return;
    this.#idle.add(name);
    this.#timer ??= this.#clock.setTimer(SECOND_MS, () => this.#forgetIdle());
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const name of this.#idle) this.#addresses.delete(name);
    this.#idle.clear();
  }

  #forgetIdle(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonicMs();
    for (const name of this.#idle) {
      const last = this.#addresses.get(name)?.upgrades.at(-1) ?? Number.NEGATIVE_INFINITY;
      if (last > nowMs - SECOND_MS) continue;
      this.#addresses.delete(name);
      this.#idle.delete(name);
    }
    if (this.#idle.size > 0) this.#timer = this.#clock.setTimer(SECOND_MS, () => this.#forgetIdle());
  }
}

function forgetUntil(instants: number[], untilMs: number): void {
  const kept = instants.findIndex((atMs) => atMs > untilMs);
  if (kept !== 0) instants.splice(0, kept === -1 ? instants.length : kept);
}
