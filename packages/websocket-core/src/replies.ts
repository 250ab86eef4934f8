import {
  type CommandReply,
  type ControlMessage,
  createErrorBody,
  createServerMessage,
  type ErrorBody,
} from '@runwire/protocol';

/** Where the answer to one message goes: down the socket, or to the request that brought it. */
export interface Reply {
  /** The message's one answer. */
  answer(message: ControlMessage): void;
  /** It is handled and gets no answer of its own; `streamed`: what it asks for comes with the events. */
  done(outcome: 'taken' | 'streamed'): void;
}

/** One message on its way in. */
export interface Incoming {
  readonly text: string;
  /** UTF-8 bytes of `text`. */
  readonly bytes: number;
  readonly reply: Reply;
}

/** An error as an answer: to a command by its id, to anything else as `error` (protocol §5). */
export function rejection(ref: string | undefined, error: ErrorBody): ControlMessage {
  return ref === undefined
    ? createServerMessage('error', error)
    : createServerMessage('command_rejected', { ref, error });
}

/** The answer to a command. */
export function replyMessage(ref: string | undefined, reply: CommandReply): ControlMessage {
  if ('rejected' in reply) return rejection(ref, reply.rejected);
  return createServerMessage('command_accepted', { ref: ref ?? null, result: reply.accepted });
}

/** `INTERNAL`, with nothing of its cause but the id under which the log has it. */
export function internalError(correlationId: string): ErrorBody {
  return createErrorBody('INTERNAL', { details: { correlationId } });
}

/** The id of a message that has a usable one. */
export function refOf(message: { readonly type: string }): string | undefined {
  return 'id' in message && typeof message.id === 'string' ? message.id : undefined;
}
