import { customAlphabet, customRandom } from 'nanoid';
import type { IdGenerator, IdGeneratorDeps, IdKind, IdOf, ThreadId } from './contract.js';
import { ALPHABET, NODE_DIGITS, PREFIX, PREFIX_LENGTH } from './format.js';
import { parseIdAs } from './parse.js';
import { IdSequence } from './sequence.js';

/**
 * Creates a generator. One per process is enough; several, on threads or machines, differ by their random
 * node part (36⁸ values), so their ids do not meet. A clock that stands still, goes back, or gives no instant
 * before the year 5188 leaves the ids' time where it is.
 */
export function createIdGenerator(deps: IdGeneratorDeps): IdGenerator {
  const sequence = new IdSequence(deps.clock, randomNode(deps.random));
  const maker =
    <K extends IdKind>(kind: K) =>
    (): IdOf<K> =>
      `${PREFIX[kind]}_${sequence.next()}` as IdOf<K>;
  return Object.freeze({
    userId: maker('user'),
    threadId: maker('thread'),
    runId(threadId: ThreadId) {
      const threadKey = parseIdAs('thread', threadId).slice(PREFIX_LENGTH);
      return `${PREFIX.run}_${sequence.next()}_${threadKey}` as IdOf<'run'>;
    },
    sessionId: maker('session'),
    requestId: maker('request'),
    connectionId: maker('connection'),
    messageId: maker('message'),
    eventId: maker('event'),
    toolCallId: maker('toolCall'),
  });
}

function randomNode(random: (() => number) | undefined): string {
  if (random === undefined) return customAlphabet(ALPHABET, NODE_DIGITS)();
  // 252 = 7 × 36: nanoid rejects bytes above it, and a source that repeats itself would be asked for ever.
  const bytes = (size: number) => Uint8Array.from({ length: size }, () => Math.floor(random() * 252) % 252);
  return customRandom(ALPHABET, NODE_DIGITS, bytes)();
}
