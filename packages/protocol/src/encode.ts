import type { ControlMessage } from './control-messages.js';
import { ProtocolError } from './errors.js';
import type { ErasedDraft, EventData, EventDraft, EventPosition } from './events.js';

/**
 * The JSON of one control message.
 *
 * @throws ProtocolError `NOT_ENCODABLE`
 */
export function encodeServerMessage(message: ControlMessage): string {
  return stringify(message);
}

/**
 * The JSON of one event: once per event, whatever the number of connections. Keys in the order `type`, `seq`,
 * `id`, `at`, `from`, `threadId`, `runId`, `data`. Nothing is validated here: drafts are typed.
 *
 * @throws ProtocolError `NOT_ENCODABLE`
 */
export function encodeEvent(draft: EventDraft | ErasedDraft, position: EventPosition): string {
  const { seq, id, at, from } = position;
  const covering = from === undefined ? '' : `,"from":${from}`;
  const data = draft.type === 'agent_delta' ? deltaJson(draft.data) : stringify(draft.data);
  return `{"type":"${draft.type}","seq":${seq},"id":${quote(id)},"at":${at}${covering}${scopeJson(draft)}${data}}`;
}

/** What the event before and this one have in common: of a run's events nearly all. Saves a tenth. */
const scope: Scope & { json: string } = { threadId: undefined, runId: undefined, json: ',"data":' };
const message = { id: '', json: '{"messageId":"","part":' };

type Scope = { -readonly [K in 'threadId' | 'runId']: EventDraft[K] };

function scopeJson({ threadId, runId }: EventDraft | ErasedDraft): string {
  if (scope.threadId !== threadId || scope.runId !== runId) {
    const thread = threadId === undefined ? '' : `,"threadId":${quote(threadId)}`;
    const run = runId === undefined ? '' : `,"runId":${quote(runId)}`;
    scope.threadId = threadId;
    scope.runId = runId;
    scope.json = `${thread}${run},"data":`;
  }
  return scope.json;
}

/** Deltas are most of what there is. Put together by hand they take a third of the time of an object. */
function deltaJson(data: EventData<'agent_delta'>): string {
  const { messageId, part, kind, offset, text, toolCallId } = data;
  const isPlain = Number.isSafeInteger(part) && Number.isSafeInteger(offset) && typeof text === 'string';
  if (!isPlain || toolCallId !== undefined) return stringify(data);
  if (message.id !== messageId) {
    message.id = messageId;
    message.json = `{"messageId":${quote(messageId)},"part":`;
  }
  return `${message.json}${part},"kind":"${kind}","offset":${offset},"text":${JSON.stringify(text)}}`;
}

/** A frame of encoded messages, in their order: one alone as it is, several as an array (§2). */
export function encodeFrame(encoded: readonly string[]): string {
  const [first] = encoded;
  return encoded.length === 1 && first !== undefined ? first : `[${encoded.join(',')}]`;
}

const PLAIN = /^[\w-]*$/;

function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

function stringify(value: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw new ProtocolError('NOT_ENCODABLE', 'The message cannot be written as JSON.', { cause });
  }
  if (json === undefined) throw new ProtocolError('NOT_ENCODABLE', 'The message has no JSON.');
  return json;
}
