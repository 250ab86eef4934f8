import type { RunView } from '@runwire/client';
import { useEffect, useRef, useState } from 'react';
import type { ConversationState } from './conversation-state.js';

/** Tells screen readers when an answer begins and ends; never what is in it. */
export function Announcer({ state }: { readonly state: ConversationState }) {
  const [words, setWords] = useState('');
  const last = useRef<{ readonly runId: string; readonly status: RunView['status'] } | 'none'>(undefined);
  const run = state.kind === 'ready' ? lastRun(state) : undefined;
  const isReady = state.kind === 'ready';
  const runId = run?.runId;
  const status = run?.status;
  const problem = run?.error?.message;
  useEffect(() => {
    if (!isReady) return;
    const before = last.current;
    last.current = runId === undefined || status === undefined ? 'none' : { runId, status };
    if (runId === undefined || status === undefined) return;
    // An answer that had ended when the thread was opened is no news.
    if (before === undefined && status !== 'running') return;
    const isSame = typeof before === 'object' && before.runId === runId;
    if (isSame && before.status === status) return;
    setWords(announcement(status, problem));
  }, [isReady, runId, status, problem]);
  return (
    <div className="visually-hidden" role="status" aria-live="polite" data-testid="announcer">
      {words}
    </div>
  );
}

function lastRun(state: Extract<ConversationState, { kind: 'ready' }>): RunView | undefined {
  const entry = state.entries.findLast(({ kind }) => kind === 'answer');
  return entry?.kind === 'answer' ? entry.run : undefined;
}

function announcement(status: RunView['status'], problem: string | undefined): string {
  switch (status) {
    case 'running':
      return 'The answer begins.';
    case 'completed':
      return 'The answer is complete.';
    case 'cancelled':
      return 'The answer was stopped.';
    case 'timed_out':
      return 'The answer took too long and was ended.';
    case 'interrupted':
      return 'The answer was interrupted.';
    case 'failed':
      return `The answer failed. ${problem ?? ''}`.trim();
  }
}
