import type { RunId, ThreadId } from '@runwire/id-generation';
import type { EventDraft } from '@runwire/protocol';

/** An event that belongs to a thread and no run. */
export function renamed(threadId: ThreadId, title: string): EventDraft<'thread_updated'> {
  return { type: 'thread_updated', threadId, data: { title } };
}

/** As many of them as asked for, titled `1`, `2`, `3` … */
export function renamedTimes(threadId: ThreadId, count: number): EventDraft[] {
  return Array.from({ length: count }, (_, index) => renamed(threadId, String(index + 1)));
}

/** One run of one thread. */
export interface RunOfThread {
  readonly threadId: ThreadId;
  readonly runId: RunId;
}

/** A run's first event. */
export function started(run: RunOfThread, attempt = 1): EventDraft<'agent_started'> {
  return { type: 'agent_started', ...run, data: { agent: 'demo', messageId: `msg_${attempt}`, attempt } };
}

/** An event in the middle of a run. */
export function thinking(run: RunOfThread, text = 'thinking'): EventDraft<'agent_thinking'> {
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
