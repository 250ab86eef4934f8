import type { CommandMessage, CommandResult, ErrorBody } from './messages.js';

/** What a command came to: becomes `command_accepted` or `command_rejected` on the wire. */
export type CommandReply<T extends CommandMessage['type'] = CommandMessage['type']> =
  | { readonly accepted: CommandResult<T> }
  | { readonly rejected: ErrorBody };
