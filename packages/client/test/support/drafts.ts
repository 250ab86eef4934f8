import type { EventDraft } from '@runwire/protocol';

/** A short event of a thread. */
export function thinking(text: string, threadId = 'thr_1'): EventDraft {
  return { type: 'agent_thinking', threadId, runId: 'run_1', data: { agent: 'demo', text } };
}

/** `count` short events. */
export function thoughts(count: number, threadId = 'thr_1'): EventDraft[] {
  return Array.from({ length: count }, (_, n) => thinking(`thought ${n}`, threadId));
}

/** The start of an answer. */
export function started(messageId = 'msg_1', attempt = 1): EventDraft {
  return {
    type: 'agent_started',
    threadId: 'thr_1',
    runId: 'run_1',
    data: { agent: 'demo', messageId, attempt },
  };
}

/** A piece of an answer's text. */
export function delta(offset: number, text: string, messageId = 'msg_1'): EventDraft {
  return {
    type: 'agent_delta',
    threadId: 'thr_1',
    runId: 'run_1',
    data: { messageId, part: 0, kind: 'text', offset, text },
  };
}

/** The end of an answer. */
export function completed(messageId = 'msg_1', result = ''): EventDraft {
  return {
    type: 'agent_completed',
    threadId: 'thr_1',
    runId: 'run_1',
    data: { agent: 'demo', messageId, status: 'completed', result, durationMs: 5 },
  };
}
