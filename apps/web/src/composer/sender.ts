import { useEffect, useRef, useState } from 'react';
import { navigate, threadPath } from '../routing/location.js';
import { useStore } from '../state/value-store.js';
import { useWorkspace } from '../workspace/workspace-context.js';
import { draftOf } from './drafts.js';
import type { Outgoing } from './outgoing.js';
import { isCancelled, problemOf, type SendProblem } from './send-problem.js';

/** What the composer holds and does. */
export interface Sender {
  readonly draft: string;
  setDraft(text: string): void;
  /** The composer waits for the server. */
  readonly isSending: boolean;
  /** A message of this thread waits for a connection: the next can be written, and sent when it is through. */
  readonly isWaiting: boolean;
  readonly problem: SendProblem | undefined;
  /**
   * Sends, when given after stopping the run that is in the way; a rejected text comes back as the draft.
   * Does nothing with blank text, while sending, or while another message waits.
   */
  send(text: string, stopFirst?: string): void;
  /** Takes back a message that waits to be sent; its text comes back as the draft. */
  readonly cancel: (message: Outgoing) => void;
  readonly isStopping: boolean;
  stop(runId: string): void;
}

/** The sender of a thread, or (`undefined`) of a new chat, which it leads to its thread. */
export function useSender(threadId: string | undefined): Sender {
  const { client, connection, outgoing, drafts } = useWorkspace();
  const key = threadId ?? '';
  const { text: draft, problem } = draftOf(useStore(drafts.state), key);
  const [sendings, setSendings] = useState(0);
  const [stopping, setStopping] = useState<string>();
  const mounted = useMounted();
  const isLive = useStore(connection.state).kind === 'live';
  const own = useStore(outgoing.state).filter((message) => message.threadId === threadId);
  const isWaiting = !isLive && own.some(({ stage }) => stage !== 'answered');
  const isSending = sendings > 0 && !isWaiting;

  const deliver = async (text: string, stopFirst: string | undefined): Promise<void> => {
    // An example or a repeat leaves alone what is being written.
    const isFree = draft.trim() === '' || draft.trim() === text;
    try {
      // Settles when the run has ended, so its thread is free.
      if (stopFirst !== undefined) await client.stop(stopFirst);
      if (isFree) drafts.setText(key, '');
      const sent = await outgoing.send(threadId, text);
      if (threadId === undefined && mounted.current) navigate(threadPath(sent.threadId), 'replace');
    } catch (cause) {
      if (isCancelled(cause)) return;
      if (isFree) drafts.giveBack(key, text);
      drafts.setProblem(key, problemOf(cause, text));
    }
  };
  return {
    draft,
    setDraft: (text) => drafts.setText(key, text),
    isSending,
    isWaiting,
    problem,
    send(text, stopFirst) {
      if (isSending || isWaiting || text.trim() === '') return;
      drafts.setProblem(key, undefined);
      setSendings((count) => count + 1);
      void deliver(text.trim(), stopFirst).finally(() => setSendings((count) => count - 1));
    },
    cancel: ({ id, text }) => {
      if (outgoing.cancel(id)) drafts.giveBack(key, text);
    },
    isStopping: stopping !== undefined,
    stop(runId) {
      if (stopping === runId) return;
      setStopping(runId);
      client
        .stop(runId)
        .catch((cause: unknown) => drafts.setProblem(key, problemOf(cause)))
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
