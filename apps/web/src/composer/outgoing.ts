import type { Entry } from '../conversation/conversation-state.js';
import { createValueStore, type ReadableStore } from '../state/value-store.js';

/** A message on its way: shown at once, until the thread itself has it. */
export interface Outgoing {
  readonly key: number;
  /** Undefined: of a new chat that has no thread yet. */
  readonly threadId: string | undefined;
  readonly text: string;
  /** The last message there was when it was sent; what is older is another message. */
  readonly afterId: string | undefined;
  /** Known once the server has accepted it. */
  readonly messageId?: string;
}

/** The messages on their way. */
export interface OutgoingMessages {
  readonly state: ReadableStore<readonly Outgoing[]>;
  /** Returns what `accepted` and `remove` take. */
  add(message: Omit<Outgoing, 'key' | 'messageId'>): number;
  accepted(key: number, result: { readonly threadId: string; readonly messageId: string }): void;
  remove(key: number): void;
}

/** Creates the list, empty. */
export function createOutgoingMessages(): OutgoingMessages {
  const state = createValueStore<readonly Outgoing[]>([]);
  let lastKey = 0;
  return {
    state,
    add(message) {
      lastKey += 1;
      state.set([...state.get(), { ...message, key: lastKey }]);
      return lastKey;
    },
    accepted(key, { threadId, messageId }) {
      state.set(state.get().map((it) => (it.key === key ? { ...it, threadId, messageId } : it)));
    },
    remove(key) {
      state.set(state.get().filter((it) => it.key !== key));
    },
  };
}

/** Those that the thread's entries do not show yet. Its event may come before the answer to the command. */
export function notYetShown(outgoing: readonly Outgoing[], entries: readonly Entry[]): readonly Outgoing[] {
  return outgoing.filter((message) => !isShown(message, entries));
}

function isShown({ messageId, text, afterId }: Outgoing, entries: readonly Entry[]): boolean {
  if (messageId !== undefined) return entries.some(({ id }) => id === messageId);
  const newer = entries.slice(entries.findIndex(({ id }) => id === afterId) + 1);
  return newer.some((entry) => entry.kind === 'user' && entry.text.trim() === text.trim());
}
