import { useEffect, useRef, useState } from 'react';
import { navigate, threadPath } from '../routing/location.js';
import { useWorkspace } from '../workspace/workspace-context.js';
import { problemOf, type SendProblem } from './send-problem.js';

/** What the composer holds and does. */
export interface Sender {
  readonly draft: string;
  setDraft(text: string): void;
  readonly isSending: boolean;
  readonly problem: SendProblem | undefined;
  /**
   * Sends, when given after stopping the run that is in the way; a rejected text comes back as the draft.
   * Does nothing with blank text or while sending.
   */
  send(text: string, stopFirst?: string): void;
  readonly isStopping: boolean;
  stop(runId: string): void;
}

/** The sender of a thread, or (`undefined`) of a new chat, which it leads to its thread. */
export function useSender(threadId: string | undefined, afterId: string | undefined): Sender {
  const { client, outgoing, drafts } = useWorkspace();
  const draftKey = threadId ?? '';
  const [draft, setDraftState] = useState(() => drafts.get(draftKey) ?? '');
  const [isSending, setSending] = useState(false);
  const [stopping, setStopping] = useState<string>();
  const [problem, setProblem] = useState<SendProblem>();
  const mounted = useMounted();

  const setDraft = (text: string): void => {
    if (text === '') drafts.delete(draftKey);
    else drafts.set(draftKey, text);
    setDraftState(text);
  };
  const deliver = async (text: string, stopFirst: string | undefined): Promise<void> => {
    // An example or a repeat leaves alone what is being written.
    const isFree = draft.trim() === '' || draft.trim() === text;
    if (isFree) setDraft('');
    const key = outgoing.add({ threadId, text, afterId });
    try {
      // Settles when the run has ended, so its thread is free.
      if (stopFirst !== undefined) await client.stop(stopFirst);
      const thread = threadId === undefined ? {} : { threadId };
      const result = await client.send({ ...thread, content: text });
      outgoing.accepted(key, result);
      if (!mounted.current) outgoing.remove(key);
      else if (threadId === undefined) navigate(threadPath(result.threadId), 'replace');
    } catch (cause) {
      outgoing.remove(key);
      if (isFree) setDraft(text);
      setProblem(problemOf(cause, text));
    }
  };
  return {
    draft,
    setDraft,
    isSending,
    problem,
    send(text, stopFirst) {
      if (isSending || text.trim() === '') return;
      setProblem(undefined);
      setSending(true);
      void deliver(text.trim(), stopFirst).finally(() => setSending(false));
    },
    isStopping: stopping !== undefined,
    stop(runId) {
      if (stopping === runId) return;
      setStopping(runId);
      client
        .stop(runId)
        .catch((cause: unknown) => setProblem(problemOf(cause)))
        .finally(() => setStopping(undefined));
    },
  };
}

function useMounted() {
  const mounted = useRef(true);
  useEffect(() => {
    mounted.current = true;
    return () => {
      mounted.current = false;
    };
  }, []);
  return mounted;
}
