import type { ConnectionId } from '@runwire/id-generation';
import type { CommandLimits } from './command-limits.js';
import type { CommandRunner } from './commands.js';
import type { Reservation, SocketServerDeps } from './contract.js';
import type { Counters } from './counters.js';
import type { Credentials } from './handshake.js';
import type { ResolvedOptions } from './options.js';
import type { Timetable } from './timetable.js';

/** What the connections of one server share. */
export interface ConnectionHost {
  readonly deps: SocketServerDeps;
  readonly options: ResolvedOptions;
  readonly counters: Counters;
  readonly commandLimits: CommandLimits;
  readonly commands: CommandRunner;
  readonly timetable: Timetable;
  /** The socket is gone and everything of the connection with it. */
  gone(connection: { readonly id: ConnectionId }): void;
}

/** What the request to connect brought. */
export interface AcceptedUpgrade {
  readonly reservation: Reservation;
  readonly remoteAddress: string;
  /** Undefined: the first frame brings the token. */
  readonly credentials: Credentials | undefined;
  /** Whether the peer's messages come beside the socket, each in a request that waits for its answer. */
  readonly takesPosts: boolean;
}
