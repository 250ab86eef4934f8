import type { EventError, MessagePart, MessageRole, RunEndStatus, ToolStatus, Usage } from './contract.js';

/** The `data` of each event (§4). */
export interface EventDataByType {
  /** A message appears in all of the user's tabs. */
  readonly message_added: {
    readonly messageId: string;
    readonly role: MessageRole;
    readonly parts: readonly MessagePart[];
    /** The id of the command that sent it. */
    readonly commandId?: string;
  };
  /** An attempt of a run begins; a higher `attempt` supersedes the answer of the lower one. */
  readonly agent_started: {
    readonly agent: string;
    /** The message that will be the answer. */
    readonly messageId: string;
    /** 1, 2, 3 … */
    readonly attempt: number;
    readonly parentRunId?: string;
    readonly input?: unknown;
  };
  /** A step begins, in words fit for the user. */
  readonly agent_thinking: {
    readonly agent: string;
    readonly text: string;
    readonly step?: number;
    readonly totalSteps?: number;
  };
  /** A piece of the answer, appended at `offset` of its part. */
  readonly agent_delta: {
    readonly messageId: string;
    /** A label within the message, counted from 0; not an index. */
    readonly part: number;
    readonly kind: 'text' | 'reasoning' | 'tool_input';
    /** UTF-16 units of the part before this text. */
    readonly offset: number;
    /** Never ends inside a surrogate pair. */
    readonly text: string;
    readonly toolCallId?: string;
  };
  /** A tool call begins. */
  readonly tool_executing: {
    readonly toolCallId: string;
    readonly tool: string;
    /** Secrets are redacted. */
    readonly input: unknown;
  };
  /** News of a tool call; may be left out for a connection that is behind. */
  readonly tool_progress: {
    readonly toolCallId: string;
    readonly message?: string;
    /** 0–100. */
    readonly percent?: number;
  };
  /** A tool call waits for the user. */
  readonly approval_required: {
    readonly toolCallId: string;
    readonly tool: string;
    readonly input: unknown;
    readonly expiresAtMs: number;
  };
  /** A tool call waits no more. */
  readonly approval_resolved: {
    readonly toolCallId: string;
    readonly approved: boolean;
    /** The user's id, or `timeout` when nobody answered. */
    readonly by: string;
    readonly reason?: string;
  };
  /** The one end of a tool call. */
  readonly tool_completed: {
    readonly toolCallId: string;
    readonly tool: string;
    readonly status: ToolStatus;
    readonly output?: unknown;
    /** Where the output is when it is too large for an event. */
    readonly outputUrl?: string;
    readonly error?: EventError;
    readonly durationMs: number;
  };
  /** A failure that the run survives. */
  readonly agent_error: EventError & { readonly recoverable: boolean };
  /** The one end of a run. */
  readonly agent_completed: {
    readonly agent: string;
    readonly messageId: string;
    readonly status: RunEndStatus;
    /** The whole answer, never cut. */
    readonly result?: string;
    /** Where the answer is when it is too large for an event. */
    readonly resultUrl?: string;
    readonly error?: EventError;
    readonly durationMs: number;
    readonly usage?: Usage;
  };
  /** A thread appears. */
  readonly thread_created: { readonly title?: string };
  /** A thread changed; only what changed is present. */
  readonly thread_updated: { readonly title?: string };
  /** A thread is gone; its earlier events become `erased`. */
  readonly thread_deleted: Readonly<Record<string, never>>;
  /** Stands in place of an event that was erased. */
  readonly erased: Readonly<Record<string, never>>;
}

/** The type of an event. */
export type EventType = keyof EventDataByType;

/** The type of an event that belongs to a run. */
export type RunEventType = Exclude<
  EventType,
  'message_added' | 'thread_created' | 'thread_updated' | 'thread_deleted' | 'erased'
>;

/** The `data` of an event of type `T`. */
export type EventData<T extends EventType> = EventDataByType[T];

/** Where an event stands in its user's stream; the same for every event (§4). */
export interface EventPosition {
  readonly seq: number;
  readonly id: string;
  /** Epoch milliseconds, never decreasing within a stream. */
  readonly at: number;
  /** The first `seq` this event covers; absent when it covers only its own. */
  readonly from?: number;
}

/** What an event belongs to: a run and its thread, a thread, or (when erased) nothing. */
export type EventOwner<T extends EventType> = T extends RunEventType
  ? { readonly threadId: string; readonly runId: string }
  : T extends 'erased'
    ? { readonly threadId?: never; readonly runId?: never }
    : { readonly threadId: string; readonly runId?: string };

/** An event of type `T`, as a client receives it. */
export type RunwireEventOf<T extends EventType> = T extends EventType
  ? { readonly type: T } & EventPosition & EventOwner<T> & { readonly data: EventDataByType[T] }
  : never;

/** Any event of the log. */
export type RunwireEvent = RunwireEventOf<EventType>;

/** An event before the log has given it its position. Nobody drafts `erased`. */
export type EventDraft<T extends EventType = EventType> = T extends 'erased'
  ? never
  : {
      readonly type: T;
      readonly threadId?: string;
      readonly runId?: string;
      readonly data: EventDataByType[T];
    };

/** What an erasure writes in place of an event. */
export interface ErasedDraft {
  readonly type: 'erased';
  readonly threadId?: never;
  readonly runId?: never;
  readonly data: EventDataByType['erased'];
}

/**
 * What may happen to an event on its way to a connection that is behind (§4): `durable` nothing, `delta`
 * merging with its neighbours, `ephemeral` being left out.
 */
export type EventClass = 'durable' | 'delta' | 'ephemeral';

/** The class of each event (§4). */
export const EVENT_CLASS: Readonly<Record<EventType, EventClass>> = /* @__PURE__ */ Object.freeze({
  message_added: 'durable',
  agent_started: 'durable',
  agent_thinking: 'durable',
  agent_delta: 'delta',
  tool_executing: 'durable',
  tool_progress: 'ephemeral',
  approval_required: 'durable',
  approval_resolved: 'durable',
  tool_completed: 'durable',
  agent_error: 'durable',
  agent_completed: 'durable',
  thread_created: 'durable',
  thread_updated: 'durable',
  thread_deleted: 'durable',
  erased: 'durable',
});

/** The event of which every run has exactly one, its last. */
export const TERMINAL_EVENT_TYPE = 'agent_completed';
