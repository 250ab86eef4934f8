import type { EventData } from '@runwire/protocol/wire';

/** How much text of each part of the answers under way was handed on, in UTF-16 code units. */
export interface PartLengths {
  /** An answer begins: from now on, a part not heard of has length 0. */
  begin(messageId: string): void;
  /** The answer is whole; its lengths are forgotten. */
  end(messageId: string): void;
  /** The part's length; undefined when the answer's beginning was not seen, so that it cannot be known. */
  known(delta: EventData<'agent_delta'>): number | undefined;
  extend(delta: EventData<'agent_delta'>, length: number): void;
  clear(): void;
}

/** Answers remembered; erased or superseded ones have no end, so the oldest make room. */
const MAX_ANSWERS = 256;

interface Answer {
  readonly fromStart: boolean;
  readonly lengths: Map<string, number>;
}

/** Creates an empty table. */
export function createPartLengths(): PartLengths {
  const answers = new Map<string, Answer>();

  const add = (messageId: string, fromStart: boolean): Answer => {
    const answer: Answer = { fromStart, lengths: new Map() };
    const [oldest] = answers.keys();
    if (answers.size >= MAX_ANSWERS && oldest !== undefined) answers.delete(oldest);
    answers.set(messageId, answer);
    return answer;
  };

  return {
    begin: (messageId) => void add(messageId, true),
    end: (messageId) => void answers.delete(messageId),
    known(delta) {
      const answer = answers.get(delta.messageId);
      return answer?.lengths.get(keyOf(delta)) ?? (answer?.fromStart === true ? 0 : undefined);
    },
    extend(delta, length) {
      const { lengths } = answers.get(delta.messageId) ?? add(delta.messageId, false);
      lengths.set(keyOf(delta), Math.max(lengths.get(keyOf(delta)) ?? 0, length));
    },
    clear: () => answers.clear(),
  };
}

function keyOf({ kind, part, toolCallId }: EventData<'agent_delta'>): string {
  return `${kind}:${part}:${toolCallId ?? ''}`;
}
