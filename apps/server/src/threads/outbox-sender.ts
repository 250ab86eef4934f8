import { createOutbox, type OutboxEntry, type RunStore } from '@runwire/agent-handler';
import type { Producer } from '@runwire/event-log';
import type { UserId } from '@runwire/id-generation';
import type { Clock, Logger } from '@runwire/kernel';
import type { EventDraft } from '@runwire/protocol';

/** Appends drafts that a request has committed to SQL, then forgets them. */
export interface OutboxSender {
  /**
   * Settles, and never rejects, when the drafts are appended, or are left to be tried again: SQL has decided,
   * and whoever asked is answered by that.
   */
  send(entry: OutboxEntry): Promise<void>;
  /** Ends the trying; what is left is appended by the recovery of the next start. Idempotent. */
  close(): void;
}

/** What the sender is built from. */
export interface OutboxSenderDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: {
    appendForUser(userId: UserId, drafts: readonly EventDraft[], producer: Producer): Promise<void>;
  };
  readonly runs: Pick<RunStore, 'markAppended' | 'pendingOutbox'>;
}

/** Creates the sender: append first, forget after, so a crash between the two only repeats the append. */
export function createOutboxSender(deps: OutboxSenderDeps): OutboxSender {
  const { clock, logger, events, runs } = deps;
  const append = (userId: UserId, drafts: readonly EventDraft[], producer: Producer): Promise<void> =>
    events.appendForUser(userId, drafts, producer);
  const repeated = createOutbox({ clock, logger, runs, append });
  return {
    async send({ userId, drafts, producer }) {
      try {
        await append(userId, drafts, producer);
        await runs.markAppended(userId, producer);
      } catch (err) {
        logger.warn({ err, userId, producer }, 'events wait in the outbox');
        repeated.repeatSoon();
      }
    },
    close: () => repeated.close(),
  };
}
