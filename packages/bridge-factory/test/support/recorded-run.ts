import type { EventLog, Producer } from '@runwire/event-log';
import type { EventDraft, RunwireEvent } from '@runwire/protocol';
import type { HarnessSetup } from './harness.js';
import { createHarness } from './harness.js';
import { through } from './through.js';

/** One append that reached the log. */
export interface Append {
  readonly types: readonly string[];
  readonly producer: Producer | undefined;
  readonly drafts: readonly EventDraft[];
}

/** Records appends; `gate` holds them back, `fails` rejects them. */
function recordingLog() {
  const appends: Append[] = [];
  const control: { gate: Promise<void> | undefined; fails: Error | undefined } = {
    gate: undefined,
    fails: undefined,
  };
  const wrap = (log: EventLog): EventLog => ({
    ...through(log),
    async append(userId, drafts, options) {
      appends.push({ types: drafts.map((draft) => draft.type), producer: options?.producer, drafts });
      if (control.gate !== undefined) await control.gate;
      if (control.fails !== undefined) throw control.fails;
      return log.append(userId, drafts, options);
    },
  });
  return { appends, control, wrap };
}

/** A harness whose log records appends, with what the events of a run are made of. */
export function setUpRun(over: HarnessSetup = {}) {
  const recording = recordingLog();
  const harness = createHarness({ ...over, log: recording.wrap });
  const messageId = harness.ids.messageId();
  return {
    ...harness,
    ...recording,
    messageId,
    started: { agent: 'a', messageId, attempt: 1 },
    completed: { agent: 'a', messageId, status: 'completed' as const, durationMs: 5 },
    delta: (text: string, part = 0) => ({ messageId, part, kind: 'text' as const, text }),
    stored: async (): Promise<readonly RunwireEvent[]> => {
      const { epoch } = await harness.log.stream(harness.userId);
      const limits = { limitEvents: 100_000, limitBytes: 1e9 };
      const page = await harness.log.read(harness.userId, { after: { epoch, seq: 0 }, ...limits });
      return page.kind === 'page' ? page.events.map((event) => JSON.parse(event.json) as RunwireEvent) : [];
    },
  };
}
