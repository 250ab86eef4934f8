import type { ClientConnection, Reservation } from '@runwire/websocket-core';

/** Whose places they are. */
export interface PlaceOwner {
  admit(connection: ClientConnection, admission: Admission): void;
  /** The place is free again. Once for each. */
  released(remoteAddress: string): void;
}

/** What is asked when a connection is admitted. */
export interface Admission {
  readonly place: Place;
  readonly replaces: string | undefined;
}

/** A place for one connection, from its reservation to its end. */
export class Place implements Reservation {
  readonly kind = 'reserved';
  readonly #owner: PlaceOwner;
  readonly #remoteAddress: string;
  #isHeld = true;

  constructor(owner: PlaceOwner, remoteAddress: string) {
    this.#owner = owner;
    this.#remoteAddress = remoteAddress;
  }

  admit(connection: ClientConnection, { replaces }: { readonly replaces?: string }): void {
    this.#owner.admit(connection, { place: this, replaces });
  }

  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#owner.released(this.#remoteAddress);
  }
}
