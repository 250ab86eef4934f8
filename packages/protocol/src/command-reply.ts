import type { CommandMessage, CommandResult } from './client-messages.js';
import type { ErrorBody } from './contract.js';

/** What a command came to: becomes `command_accepted` or `command_rejected` on the wire. */
export type CommandReply<T extends CommandMessage['type'] = CommandMessage['type']> =
  | { readonly accepted: CommandResult<T> }
  | { readonly rejected: ErrorBody };
