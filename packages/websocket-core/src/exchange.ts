import { createDeferred } from '@runwire/kernel';
import type { ControlMessage } from '@runwire/protocol';
import type { CloseInfo, Dispose, PostAnswer } from './contract.js';
import type { Reply } from './replies.js';

/** What an exchange needs of its connection. */
export interface ExchangeDeps {
  onClose(listener: (close: CloseInfo) => void): Dispose;
  /** An answer was given beside the socket. */
  noteAnswer(message: ControlMessage): void;
}

/** A message that a request brought, and the answer that the request waits for. */
export interface Exchange {
  readonly reply: Reply;
  /** Settles once, at the latest when the connection ends; never rejects. */
  readonly answer: Promise<PostAnswer>;
}

/** Begins an exchange. What is told first counts. */
export function createExchange(deps: ExchangeDeps): Exchange {
  const answer = createDeferred<PostAnswer>();
  const stopListening = deps.onClose((close) => answer.resolve({ kind: 'closed', close }));
  const settle = (outcome: PostAnswer): void => {
    stopListening();
    answer.resolve(outcome);
  };
  return {
    answer: answer.promise,
    reply: {
      answer(message) {
        settle({ kind: 'answered', message });
        deps.noteAnswer(message);
      },
      done: (kind) => settle({ kind }),
    },
  };
}
