import type { CommandResult } from './client-messages.js';
import type { ErrorBody, ResetReason, ResumeInfo, StreamInfo } from './contract.js';
import type { RunwireEvent } from './events.js';

/** The fields of each control message, without its `type` (protocol §3). */
export interface ControlFieldsByType {
  /** The first message of every connection. */
  readonly connection_established: {
    readonly connectionId: string;
    readonly userId: string;
    readonly serverTimeMs: number;
    readonly stream: StreamInfo;
    readonly resume: ResumeInfo;
    readonly limits: { readonly maxMessageBytes: number; readonly maxCommandsPerMinute: number };
    readonly heartbeatIntervalMs: number;
    readonly tokenExpiresAtMs: number;
    readonly reconnect: {
      readonly minDelayMs: number;
      readonly maxDelayMs: number;
      readonly windowMs: number;
    };
  };
  /** Everything up to `seq` was sent. `ref`: the id of the `resync` it answers. */
  readonly caught_up: { readonly seq: number; readonly ref?: string };
  /** The cursor cannot be honoured; the server's now stands at `stream.head`. */
  readonly reset: { readonly reason: ResetReason; readonly stream: StreamInfo; readonly ref?: string };
  /** `sent`: last `seq` sent on this connection, in order with the events. */
  readonly heartbeat: { readonly sent: number; readonly head: number; readonly serverTimeMs: number };
  /** Answers `ping`; `n` as sent. */
  readonly pong: { readonly n?: number };
  /** A command was done. `ref`: its id, null when it had none. */
  readonly command_accepted: { readonly ref: string | null; readonly result: CommandResult };
  /** A command was not done. */
  readonly command_rejected: { readonly ref: string | null; readonly error: ErrorBody };
  /** The token expires soon: send `refresh_token`. */
  readonly auth_expiring: { readonly expiresAtMs: number };
  /** Answers `refresh_token`. */
  readonly auth_refreshed: { readonly ref: string; readonly expiresAtMs: number };
  /** This server is going away: connect again, with `replaces`. */
  readonly server_draining: { readonly reconnectAfterMs: number; readonly deadlineAtMs: number };
  /** Something went wrong that is no command with a usable id. The connection stays. */
  readonly error: ErrorBody & { readonly ref?: string };
}

/** The type of a control message. */
export type ControlType = keyof ControlFieldsByType;

/** A control message of one type, or of a union of types. */
export type ControlMessageOf<T extends ControlType> = {
  readonly [K in T]: { readonly type: K } & ControlFieldsByType[K];
}[T];

/** A server's message that is not in the log. A union on `type`. */
export type ControlMessage = ControlMessageOf<ControlType>;

/** Whatever a server sends. */
export type ServerMessage = ControlMessage | RunwireEvent;
