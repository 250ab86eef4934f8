/** What carries the frames of a tab's socket: a connection of its own, or that of another tab. */
export interface Carrier {
  send(data: string): void;
  /** Ends in peace; nothing is told. */
  close(): void;
  /** Ends because nothing comes any more; nothing is told. */
  terminate(): void;
}

/** What a carrier tells its socket. After `closed` nothing more comes. */
export interface CarrierEvents {
  opened(): void;
  received(data: unknown): void;
  closed(code: number, reason: string): void;
}
