import type { AppendResult, EventLog, Producer } from '@runwire/event-log';
import type { RunId, ThreadId, UserId } from '@runwire/id-generation';
import type { EventDraft } from '@runwire/protocol';

/** Something that changes a log, ready to be made, and to be made again on another log. */
export type Call =
  | {
      readonly do: 'append';
      readonly user: UserId;
      readonly drafts: readonly EventDraft[];
      readonly producer: Producer | undefined;
    }
  | { readonly do: 'trim'; readonly user: UserId; readonly before: number }
  | { readonly do: 'erase'; readonly user: UserId; readonly threadId: ThreadId };

/** What came of a call. */
export type Outcome =
  | { readonly kind: 'done'; readonly value: AppendResult | number | undefined }
  | { readonly kind: 'refused'; readonly code: string };

/** Makes a call. Never rejects. */
export async function make(log: EventLog, call: Call): Promise<Outcome> {
  try {
    return { kind: 'done', value: await started(log, call) };
  } catch (error) {
    return { kind: 'refused', code: codeOf(error) };
  }
}

async function started(log: EventLog, call: Call): Promise<AppendResult | number | undefined> {
  switch (call.do) {
    case 'append':
      return await log.append(
        call.user,
        call.drafts,
        call.producer === undefined ? {} : { producer: call.producer },
      );
    case 'trim':
      await log.trim(call.user, { before: call.before });
      return undefined;
    case 'erase':
      return await log.erase(call.user, { threadId: call.threadId });
  }
}

/** An outcome without what differs between two logs that do the same. */
export function comparable(outcome: Outcome): unknown {
  if (outcome.kind === 'refused') return outcome.code;
  if (typeof outcome.value !== 'object') return outcome.value;
  const { firstSeq, lastSeq, duplicate } = outcome.value;
  return { firstSeq, lastSeq, duplicate };
}

/** The code of an error; its message where there is none, so that a test shows it. */
export function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code);
  return `no code: ${String(error)}`;
}

/** One run of one thread. */
export interface RunOfThread {
  readonly threadId: ThreadId;
  readonly runId: RunId;
}

/** A run's first event. */
export function runStarted(run: RunOfThread, attempt = 1): EventDraft<'agent_started'> {
  return { type: 'agent_started', ...run, data: { agent: 'demo', messageId: `msg_${attempt}`, attempt } };
}

/** An event in the middle of a run. */
export function thinking(run: RunOfThread, text: string): EventDraft<'agent_thinking'> {
  return { type: 'agent_thinking', ...run, data: { agent: 'demo', text } };
}

/** A run's last event. */
export function completed(run: RunOfThread): EventDraft<'agent_completed'> {
  return {
    type: 'agent_completed',
    ...run,
    data: { agent: 'demo', messageId: 'msg_1', status: 'completed', durationMs: 1 },
  };
}

/** An event that belongs to a thread and no run. */
export function renamed(threadId: ThreadId, title: string): EventDraft<'thread_updated'> {
  return { type: 'thread_updated', threadId, data: { title } };
}
