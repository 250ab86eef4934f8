import type { Clock } from '@runwire/kernel';
import type { ControlMessageOf, Cursor } from '@runwire/protocol/wire';

/** A connection of this tab to the server, as others may share it. */
export interface Upstream {
  /** The cursor it was opened with; undefined: live, or from the beginning. */
  readonly cursor: Cursor | undefined;
  /** When the last frame came, monotonic. */
  readonly heardAtMs: number;
  heard(): void;
  establish(message: ControlMessageOf<'connection_established'>): void;
  /** The server's cursor stands somewhere else now. */
  restart(seq: number): void;
  /** An event came. */
  event(seq: number): void;
  /** `connection_established` as it would be now, but for stream and cursor. */
  greeting(): ControlMessageOf<'connection_established'> | undefined;
  send(data: string): void;
  /** Tells the server what was applied: what is news to it, and no more than it sent here. */
  ack(seq: number): void;
  /** Gives it up as dead. */
  fail(): void;
}

/** What an upstream is made of. */
export interface UpstreamDeps {
  readonly clock: Clock;
  readonly cursor: Cursor | undefined;
  readonly send: (data: string) => void;
  readonly fail: () => void;
}

/** Creates the record of a connection that is being opened. */
export function createUpstream({ clock, cursor, send, fail }: UpstreamDeps): Upstream {
  let established: ControlMessageOf<'connection_established'> | undefined;
  let establishedAtMs = 0;
  let heardAtMs = clock.monotonicMs();
  let sentSeq = 0;
  let ackedSeq = 0;

  return {
    cursor,
    send,
    fail,
    get heardAtMs() {
      return heardAtMs;
    },
    heard() {
      heardAtMs = clock.monotonicMs();
    },
    establish(message) {
      established = message;
      establishedAtMs = clock.monotonicMs();
      this.restart(message.resume.from - 1);
    },
    restart(seq) {
      sentSeq = seq;
      ackedSeq = seq;
    },
    event(seq) {
      sentSeq = Math.max(sentSeq, seq);
    },
    greeting() {
      if (established === undefined) return undefined;
      const agoMs = clock.monotonicMs() - establishedAtMs;
      return { ...established, serverTimeMs: established.serverTimeMs + agoMs };
    },
    ack(seq) {
      const upTo = Math.min(seq, sentSeq);
      if (upTo <= ackedSeq) return;
      ackedSeq = upTo;
      send(JSON.stringify({ type: 'ack', seq: upTo }));
    },
  };
}
