import type { CommandOutbox, PendingCommand } from '@runwire/client';

/** What waits to be sent, kept for one user over reloads of this tab. */
export interface OutboxStorage extends CommandOutbox {
  /** Forgets it: the user signs out. */
  clear(): void;
}

/** Creates the outbox of a user in `sessionStorage`: another tab has its own. */
export function createOutboxStorage(userId: string): OutboxStorage {
  const key = `runwire.outbox.${userId}`;
  return {
    load() {
      try {
        const commands: unknown = JSON.parse(sessionStorage.getItem(key) ?? '[]');
        return Array.isArray(commands) ? (commands as PendingCommand[]) : [];
      } catch {
        return [];
      }
    },
    save(commands) {
      if (commands.length === 0) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, JSON.stringify(commands));
    },
    clear: () => sessionStorage.removeItem(key),
  };
}
