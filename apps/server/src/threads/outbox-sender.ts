import type { OutboxEntry, RunStore } from '@runwire/agent-handler';
import type { Producer } from '@runwire/event-log';
import type { UserId } from '@runwire/id-generation';
import type { EventDraft } from '@runwire/protocol';

/** Appends drafts that SQL has committed, then forgets them. */
export interface OutboxSender {
  send(entry: OutboxEntry): Promise<void>;
}

/** Creates the sender: append first, forget after, so a crash between the two only repeats the append. */
export function createOutboxSender(deps: {
  readonly events: {
    appendForUser(userId: UserId, drafts: readonly EventDraft[], producer: Producer): Promise<void>;
  };
  readonly runs: Pick<RunStore, 'markAppended'>;
}): OutboxSender {
  return {
    async send(entry) {
      await deps.events.appendForUser(entry.userId, entry.drafts, entry.producer);
      await deps.runs.markAppended(entry.userId, entry.producer);
    },
  };
}
