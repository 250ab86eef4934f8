import type { ControlType, ServerMessage } from '../control-messages.js';
import type { EventType } from '../events.js';
import {
  type Check,
  isFlag,
  isInteger,
  isLike,
  isNumber,
  isOneOf,
  isPresent,
  isRecord,
  isShaped,
  isText,
  orNull,
  type Shape,
} from './checks.js';
import { isLogEvent } from './frames.js';

const id: Check = isLike(/^.{1,128}$/su);
const commandId: Check = isLike(/^[\w-]{1,64}$/);
const count: Check = isInteger(0);
const position: Check = isInteger(1);
const duration: Check = isNumber(0);
const endStatus = 'completed failed cancelled timed_out interrupted';

const errorFields: Shape = {
  code: isLike(/^[A-Z][A-Z\d_]{0,63}$/),
  message: isText,
  retryable: isFlag,
  'retryAfterMs?': duration,
  'details?': isRecord,
};
const reason: Check = isOneOf('epoch trimmed ahead fork');
const stream: Check = isShaped({ epoch: id, first: position, head: count, headId: orNull(id) });
const failure: Check = isShaped({ code: isText, message: isText });

/** What a command is answered with, whichever command it was. */
const results: readonly Check[] = [
  isShaped({ runId: id, threadId: id }),
  isShaped({ runId: id, status: isOneOf(`accepted running ${endStatus}`) }),
  isShaped({ toolCallId: id }),
];

/** The fields of each control message besides `type` (§3). */
const CONTROL_SHAPES: Readonly<Record<ControlType, Shape>> = {
  connection_established: {
    connectionId: id,
    userId: id,
    serverTimeMs: duration,
    stream,
    resume: isShaped({ mode: isOneOf('live replay reset'), from: position, 'reason?': reason }),
    limits: isShaped({ maxMessageBytes: position, maxCommandsPerMinute: count }),
    heartbeatIntervalMs: duration,
    tokenExpiresAtMs: duration,
    reconnect: isShaped({ minDelayMs: duration, maxDelayMs: duration, windowMs: duration }),
  },
  caught_up: { seq: count, 'ref?': commandId },
  reset: { reason, stream, 'ref?': commandId },
  heartbeat: { sent: count, head: count, serverTimeMs: duration },
  pong: { 'n?': isNumber(-Number.MAX_VALUE) },
  command_accepted: {
    ref: orNull(commandId),
    result: (value) => results.some((check) => check(value)),
  },
  command_rejected: { ref: orNull(commandId), error: isShaped(errorFields) },
  auth_expiring: { expiresAtMs: duration },
  auth_refreshed: { ref: commandId, expiresAtMs: duration },
  server_draining: { reconnectAfterMs: duration, deadlineAtMs: duration },
  error: { ...errorFields, 'ref?': commandId },
};

/** The envelope of every event of the log, known or not (§4). */
const EVENT_SHAPE: Shape = { seq: position, id, at: count, 'from?': position, data: isRecord };

const ofThread: Shape = { threadId: id, 'runId?': id };
const ofRun: Shape = { threadId: id, runId: id };
const titled: Shape = { 'title?': isText };

/** What each event belongs to, and the fields of its `data` (§4). */
const EVENT_SHAPES: Readonly<Record<EventType, readonly [owner: Shape, data: Shape]>> = {
  message_added: [
    ofThread,
    {
      messageId: id,
      role: isOneOf('user assistant'),
      parts: (value) =>
        Array.isArray(value) && value.every(isShaped({ type: isOneOf('text'), text: isText })),
      'commandId?': commandId,
    },
  ],
  agent_started: [ofRun, { agent: isText, messageId: id, attempt: position, 'parentRunId?': id }],
  agent_thinking: [ofRun, { agent: isText, text: isText, 'step?': count, 'totalSteps?': count }],
  agent_delta: [
    ofRun,
    {
      messageId: id,
      part: count,
      kind: isOneOf('text reasoning tool_input'),
      offset: count,
      text: isText,
      'toolCallId?': id,
    },
  ],
  tool_executing: [ofRun, { toolCallId: id, tool: isText, input: isPresent }],
  tool_progress: [ofRun, { toolCallId: id, 'message?': isText, 'percent?': isNumber(0, 100) }],
  approval_required: [ofRun, { toolCallId: id, tool: isText, input: isPresent, expiresAtMs: duration }],
  approval_resolved: [ofRun, { toolCallId: id, approved: isFlag, by: id, 'reason?': isText }],
  tool_completed: [
    ofRun,
    {
      toolCallId: id,
      tool: isText,
      status: isOneOf('success error timeout denied cancelled'),
      'outputUrl?': isText,
      'error?': failure,
      durationMs: duration,
    },
  ],
  agent_error: [ofRun, { code: isText, message: isText, recoverable: isFlag }],
  agent_completed: [
    ofRun,
    {
      agent: isText,
      messageId: id,
      status: isOneOf(endStatus),
      'result?': isText,
      'resultUrl?': isText,
      'error?': failure,
      durationMs: duration,
      'usage?': isShaped({ inputTokens: count, outputTokens: count }),
    },
  ],
  thread_created: [ofThread, titled],
  thread_updated: [ofThread, titled],
  thread_deleted: [ofThread, {}],
  erased: [{}, {}],
};

const CONTROL_CHECKS: ReadonlyMap<string, Check> = new Map(
  Object.entries(CONTROL_SHAPES).map(([type, shape]) => [type, isShaped(shape)]),
);
const EVENT_CHECKS: ReadonlyMap<string, Check> = new Map(
  Object.entries(EVENT_SHAPES).map(([type, [owner, data]]) => [
    type,
    isShaped({ ...EVENT_SHAPE, ...owner, data: isShaped(data) }),
  ]),
);
const isEnvelope: Check = isShaped(EVENT_SHAPE);

/**
 * True if every field that the protocol names is there and as the schemas of `@runwire/protocol` want it. A
 * message of a type that is not known is none to refuse, unless it is an event without its envelope.
 */
export function isServerMessage(value: unknown): value is ServerMessage {
  if (!isRecord(value)) return false;
  const message = value as ServerMessage;
  const { type } = message;
  if (typeof type !== 'string') return false;
  const check = CONTROL_CHECKS.get(type) ?? EVENT_CHECKS.get(type);
  if (check !== undefined) return check(message);
  return !isLogEvent(message) || isEnvelope(message);
}
