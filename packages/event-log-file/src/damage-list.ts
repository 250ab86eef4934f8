import type { Logger } from '@runwire/kernel';
import type { LogDamage } from './contract.js';

/** So many places are listed and logged; of more there is only the number. */
const MAX_PLACES = 1_000;

/** The places whose bytes are never served, as far as they are known. */
export class DamageList {
  readonly #logger: Logger;
  readonly #places: LogDamage[] = [];
  #count = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** How many were found. */
  get count(): number {
    return this.#count;
  }

  /** The first of them. */
  get places(): readonly LogDamage[] {
    return [...this.#places];
  }

  add(place: LogDamage): void {
    this.#count += 1;
    if (this.#places.length >= MAX_PLACES) return;
    this.#places.push(place);
    this.#logger.error({ ...place }, 'The event log is damaged; the events in these bytes are not served.');
    if (this.#places.length === MAX_PLACES) {
      this.#logger.error({ places: MAX_PLACES }, 'Further damage of the event log is counted, not logged.');
    }
  }
}
