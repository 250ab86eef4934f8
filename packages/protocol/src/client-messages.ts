import type { BusyPolicy, MessageContent, ResumeRequest, RunStatus } from './contract.js';

/** The fields of each client message, without its `type` (protocol §5). */
export interface ClientFieldsByType {
  /** The first frame, when the handshake carried no token. */
  readonly authenticate: {
    readonly token: string;
    readonly resume?: ResumeRequest;
    /** An own connection that this one takes the place of. */
    readonly replaces?: string;
  };
  /** A new token for this connection. */
  readonly refresh_token: { readonly id: string; readonly token: string };
  /** A message to an agent. Alias type on the wire: `chat`. */
  readonly user_message: {
    readonly id?: string;
    /** None: a new thread. */
    readonly threadId?: string;
    readonly content: MessageContent;
    readonly agent?: string;
    readonly onBusy?: BusyPolicy;
    readonly metadata?: Readonly<Record<string, unknown>>;
  };
  /** Starts an agent without a user's message. */
  readonly start_agent: {
    readonly id?: string;
    readonly agent: string;
    readonly input: MessageContent;
    readonly threadId?: string;
  };
  /** Stops a run. */
  readonly stop_agent: { readonly id?: string; readonly runId: string };
  /** Answers `approval_required`. */
  readonly resolve_approval: {
    readonly id?: string;
    readonly runId: string;
    readonly toolCallId: string;
    readonly approved: boolean;
    readonly reason?: string;
  };
  /** Every event up to `seq` was applied. Cumulative. */
  readonly ack: { readonly seq: number };
  /** A gap was seen: send again from here. */
  readonly resync: {
    readonly id?: string;
    readonly epoch: string;
    readonly seq: number;
    readonly eventId?: string;
  };
  /** Asks for a `pong`. */
  readonly ping: { readonly n?: number };
}

/** The type of a client message, the alias `chat` resolved. */
export type ClientMessageType = keyof ClientFieldsByType;

/** A client message of one type, or of a union of types. */
export type ClientMessageOf<T extends ClientMessageType> = {
  readonly [K in T]: { readonly type: K } & ClientFieldsByType[K];
}[T];

/** A client's message. A union on `type`. */
export type ClientMessage = ClientMessageOf<ClientMessageType>;

/** What each command is answered with in `command_accepted`. */
export interface CommandResultByType {
  readonly user_message: { readonly runId: string; readonly threadId: string; readonly messageId: string };
  readonly start_agent: { readonly runId: string; readonly threadId: string };
  readonly stop_agent: { readonly runId: string; readonly status: RunStatus };
  readonly resolve_approval: { readonly toolCallId: string };
}

/** The type of a command. */
export type CommandType = keyof CommandResultByType;

/** A client message that asks for something and is answered `command_accepted` or `command_rejected`. */
export type CommandMessage = ClientMessageOf<CommandType>;

/** The result of a command. */
export type CommandResult<T extends CommandType = CommandType> = CommandResultByType[T];
