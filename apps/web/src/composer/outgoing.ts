import type { PendingCommand, RunwireClient } from '@runwire/client';
import type { Entry } from '../conversation/conversation-state.js';
import { createValueStore, type ReadableStore } from '../state/value-store.js';

/** A message on its way: shown at once, until the thread itself has it. */
export interface Outgoing {
  /** The id of its command. */
  readonly id: string;
  /** Undefined: of a new chat that has no thread yet. */
  readonly threadId: string | undefined;
  readonly text: string;
  /** `waiting` for a connection, and can be taken back; `sent`; `answered`, and its event is yet to come. */
  readonly stage: 'waiting' | 'sent' | 'answered';
  /** Local time; undefined while waiting. */
  readonly sentAtMs: number | undefined;
  /** Known once the server has accepted it. */
  readonly messageId?: string;
}

/** What became of a message. */
export interface SentMessage {
  readonly threadId: string;
  readonly messageId: string;
}

/** The messages on their way, those of this page and those that an earlier page left. */
export interface OutgoingMessages {
  readonly state: ReadableStore<readonly Outgoing[]>;
  /** Sends now, or when there is a connection. @throws ClientError */
  send(threadId: string | undefined, text: string): Promise<SentMessage>;
  /** Takes back a message that waits. False if it cannot be any more. */
  cancel(id: string): boolean;
  /** It is shown elsewhere, or was rejected. */
  remove(id: string): void;
}

/** Creates the list over a client's pending commands. */
export function createOutgoingMessages(client: RunwireClient): OutgoingMessages {
  const state = createValueStore<readonly Outgoing[]>(client.pendingCommands.flatMap(messageOf));
  const own = new Set<string>();

  client.onPendingCommands((commands) => {
    const pending = new Set(commands.map(({ id }) => id));
    // Nobody is left to say which thread an earlier page's message of a new chat came to.
    const answered = state
      .get()
      .filter(({ id, threadId }) => !pending.has(id) && (threadId !== undefined || own.has(id)))
      .map((message): Outgoing => ({ ...message, stage: 'answered' }));
    state.set([...answered, ...commands.flatMap(messageOf)]);
  });

  const remove = (id: string): void => {
    own.delete(id);
    state.set(state.get().filter((message) => message.id !== id));
  };
  return {
    state,
    remove,
    async send(threadId, text) {
      const before = client.pendingCommands;
      const sending = client.send(threadId === undefined ? { content: text } : { threadId, content: text });
      const id = client.pendingCommands === before ? undefined : client.pendingCommands.at(-1)?.id;
      if (id !== undefined) own.add(id);
      try {
        const { threadId: toThread, messageId } = await sending;
        const known = state.get().map((message) => {
          return message.id === id ? { ...message, threadId: toThread, messageId } : message;
        });
        state.set(known);
        return { threadId: toThread, messageId };
      } catch (cause) {
        if (id !== undefined) remove(id);
        throw cause;
      }
    },
    cancel(id) {
      const cancelled = client.cancelCommand(id);
      if (cancelled) remove(id);
      return cancelled;
    },
  };
}

/** The message that a command is; none if it asks for something else. */
export function messageOf({ id, message, sentAtMs }: PendingCommand): readonly Outgoing[] {
  if (message.type !== 'user_message') return [];
  const { content, threadId } = message;
  const text = typeof content === 'string' ? content : content.map((part) => part.text).join('\n');
  return [{ id, threadId, text, sentAtMs, stage: sentAtMs === undefined ? 'waiting' : 'sent' }];
}

/** Those that the thread's entries do not show yet. Its event may come before the answer to the command. */
export function notYetShown(outgoing: readonly Outgoing[], entries: readonly Entry[]): readonly Outgoing[] {
  return outgoing.filter((message) => !entries.some((entry) => shows(entry, message)));
}

/** How far the clocks of server and browser may be apart. */
const CLOCK_SKEW_MS = 60_000;

function shows(entry: Entry, { id, messageId, sentAtMs, text }: Outgoing): boolean {
  if (entry.kind !== 'user') return false;
  if (messageId !== undefined) return entry.id === messageId;
  if (entry.commandId !== undefined) return entry.commandId === id;
  // Of an earlier page: a snapshot does not say which command a message came from.
  const isAfter = sentAtMs !== undefined && entry.createdAtMs >= sentAtMs - CLOCK_SKEW_MS;
  return isAfter && entry.text.trim() === text.trim();
}
