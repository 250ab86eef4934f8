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
  const { threadId, runId } = draft;
  let json = `{"type":"${draft.type}","seq":${position.seq},"id":${quote(position.id)},"at":${position.at}`;
  if (position.from !== undefined) json += `,"from":${position.from}`;
  if (threadId !== undefined) json += `,"threadId":${quote(threadId)}`;
  if (runId !== undefined) json += `,"runId":${quote(runId)}`;
  const data = draft.type === 'agent_delta' ? deltaJson(draft.data) : stringify(draft.data);
  return `${json},"data":${data}}`;
}

/** Deltas are most of what there is. Put together by hand they take a third of the time of an object. */
function deltaJson(data: EventData<'agent_delta'>): string {
  const { messageId, part, kind, offset, text, toolCallId } = data;
  const isPlain = Number.isSafeInteger(part) && Number.isSafeInteger(offset) && typeof text === 'string';
  if (!isPlain || toolCallId !== undefined || !PLAIN.test(kind)) return stringify(data);
  return `{"messageId":${quote(messageId)},"part":${part},"kind":"${kind}","offset":${offset},"text":${JSON.stringify(text)}}`;
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
