import { idFromUuid, isId, isUuid, type RunId, type ThreadId } from '@runwire/id-generation';
import {
  type ClientMessageOf,
  type CommandMessage,
  type CommandReply,
  contentParts,
  contentText,
  createErrorBody,
  type ErrorBody,
  isBlankContent,
} from '@runwire/protocol';
import type { UserExecutionContext } from '@runwire/user-context';
import { CommandGate, type CommandWork, commandKey, type DoCommand } from './command-gate.js';
import type {
  AcceptMessage,
  AcceptOutcome,
  AgentMessageHandler,
  AgentRequest,
  AgentRuntimeDeps,
  RunPlace,
  RunSupervisor,
} from './contract.js';
import { type AgentRuntimeOptions, resolveOptions } from './options.js';
import { titleOf } from './title.js';
import { quiet } from './waiting.js';

/** What the handler is built from. */
export interface AgentMessageHandlerDeps extends AgentRuntimeDeps {
  readonly supervisor: RunSupervisor;
}

/** Creates the handler of a process. */
export function createAgentMessageHandler(
  deps: AgentMessageHandlerDeps,
  options?: AgentRuntimeOptions,
): AgentMessageHandler {
  const { commandWaitMs } = resolveOptions(options);
  const { clock, runs } = deps;
  return new MessageHandler(deps, new CommandGate({ clock, runs, commandWaitMs }));
}

/** A run that is asked for, with the place it will have. */
interface AskedRun {
  readonly accept: AcceptMessage;
  readonly context: UserExecutionContext;
  readonly place: RunPlace;
}

class MessageHandler implements AgentMessageHandler {
  readonly #deps: AgentMessageHandlerDeps;
  readonly #gate: CommandGate;

  constructor(deps: AgentMessageHandlerDeps, gate: CommandGate) {
    this.#deps = deps;
    this.#gate = gate;
  }

  async userMessage(
    message: ClientMessageOf<'user_message'>,
    request: AgentRequest,
  ): Promise<CommandReply<'user_message'>> {
    return (await this.#once(message, request, () =>
      this.#acceptUserMessage(message, request),
    )) as CommandReply<'user_message'>;
  }

  async stopAgent(
    message: ClientMessageOf<'stop_agent'>,
    request: AgentRequest,
  ): Promise<CommandReply<'stop_agent'>> {
    return (await this.#once(message, request, () =>
      this.#stop(message, request),
    )) as CommandReply<'stop_agent'>;
  }

  /** Not offered: an agent is started by a message. */
  async startAgent(
    message: ClientMessageOf<'start_agent'>,
    request: AgentRequest,
  ): Promise<CommandReply<'start_agent'>> {
    const reply = rejected(
      createErrorBody('UNKNOWN_MESSAGE_TYPE', {
        message: 'This server does not take start_agent. Send a user_message with "agent" instead.',
      }),
    );
    return (await this.#once(message, request, async () => reply)) as CommandReply<'start_agent'>;
  }

  /** No tool of this version asks for an approval, so none is ever pending. */
  async resolveApproval(
    message: ClientMessageOf<'resolve_approval'>,
    request: AgentRequest,
  ): Promise<CommandReply<'resolve_approval'>> {
    return (await this.#once(message, request, async () => {
      const run = await this.#findRun(message.runId, request);
      return rejected(createErrorBody(run === undefined ? 'RUN_NOT_FOUND' : 'APPROVAL_NOT_PENDING'));
    })) as CommandReply<'resolve_approval'>;
  }

  /** Whatever fails is told as `INTERNAL` with the request's id, and may be tried again. */
  async #once(message: CommandMessage, request: AgentRequest, work: DoCommand): Promise<CommandReply> {
    const { userId, requestId } = request.context;
    try {
      const reply = await this.#gate.once(userId, commandKey(message), work);
      return reply ?? { rejected: createErrorBody('NOT_READY') };
    } catch (cause) {
      this.#deps.logger.error({ userId, requestId, type: message.type, err: cause }, 'A command failed.');
      return { rejected: createErrorBody('INTERNAL', { details: { requestId } }) };
    }
  }

  async #acceptUserMessage(
    message: ClientMessageOf<'user_message'>,
    request: AgentRequest,
  ): Promise<CommandWork | undefined> {
    const { agents, supervisor } = this.#deps;
    if (isBlankContent(message.content)) return rejected(createErrorBody('EMPTY_MESSAGE'));
    const agent = message.agent ?? agents.defaultAgent;
    if (!agents.has(agent))
      return rejected(
        agentNotFound(
          agent,
          agents.list().map(({ name }) => name),
        ),
      );
    const thread = this.#threadOf(message.threadId);
    if (thread === undefined) return rejected(createErrorBody('THREAD_NOT_FOUND'));
    const place = supervisor.reserve(request.context.userId);
    if ('refused' in place) return rejected(place.refused);
    try {
      if (request.signal.aborted) return undefined;
      const accept = this.#acceptance({ message, agent, thread }, request);
      // Before the commit: nothing that may fail stands between it and the start of the run.
      const context = request.context.forRun({ threadId: thread.threadId, runId: accept.runId });
      return this.#answer(await this.#deps.runs.acceptMessage(accept), { accept, context, place });
    } finally {
      // Does nothing for a place that a run has taken.
      place.release();
    }
  }

  #answer(outcome: AcceptOutcome, asked: AskedRun): CommandWork {
    switch (outcome.kind) {
      case 'accepted':
        this.#startRun(outcome, asked);
        return { reply: outcome.reply, remembered: true };
      case 'repeated':
        return { reply: outcome.reply, remembered: true };
      case 'reused':
        return { reply: { rejected: createErrorBody('COMMAND_ID_REUSED') }, remembered: true };
      case 'threadNotFound':
        return rejected(createErrorBody('THREAD_NOT_FOUND'));
      case 'threadBusy':
        return rejected(createErrorBody('THREAD_BUSY', { details: { runId: outcome.runId } }));
    }
  }

  /** What follows the commit goes on, whether the asker is there or not. */
  #startRun({ outbox }: Extract<AcceptOutcome, { kind: 'accepted' }>, asked: AskedRun): void {
    const { accept, context, place } = asked;
    const { runId, agent, messageId, answerId, parts } = accept;
    const { emitters, runs, logger, supervisor } = this.#deps;
    const announced = quiet(emitters.appendForUser(outbox.userId, outbox.drafts, outbox.producer));
    place.start({ context, agent, attempt: 1, messageId, answerId, parts }, announced);
    announced
      .then(() => runs.markAppended(outbox.userId, outbox.producer))
      .catch((cause: unknown) => {
        logger.error({ runId, err: cause }, 'A message waits in the outbox.');
        supervisor.resume({ retries: [], draftsWaiting: 1 });
      });
  }

  #acceptance(
    asked: {
      readonly message: ClientMessageOf<'user_message'>;
      readonly agent: string;
      readonly thread: AcceptMessage['thread'];
    },
    request: AgentRequest,
  ): AcceptMessage {
    const { ids, clock } = this.#deps;
    const { message, agent, thread } = asked;
    const { userId, requestId } = request.context;
    return {
      userId,
      command: commandKey(message),
      producer: { id: `cmd:${message.id ?? requestId}`, attempt: 1, n: 1 },
      thread,
      title: titleOf(contentText(message.content)),
      messageId: ids.messageId(),
      runId: ids.runId(thread.threadId),
      answerId: ids.messageId(),
      agent,
      parts: contentParts(message.content),
      metadata: message.metadata,
      nowMs: clock.nowMs(),
    };
  }

  #threadOf(threadId: string | undefined): AcceptMessage['thread'] | undefined {
    if (threadId === undefined) return { kind: 'new', threadId: this.#deps.ids.threadId() };
    const known = knownThreadId(threadId);
    return known === undefined ? undefined : { kind: 'existing', threadId: known };
  }

  async #stop(message: ClientMessageOf<'stop_agent'>, request: AgentRequest): Promise<CommandWork> {
    const run = await this.#findRun(message.runId, request);
    if (run === undefined) return rejected(createErrorBody('RUN_NOT_FOUND'));
    const { runId } = run;
    const stopped = await this.#deps.supervisor.stop(runId);
    const status = stopped ?? (await this.#findRun(runId, request))?.status ?? run.status;
    return { reply: { accepted: { runId, status } }, remembered: false };
  }

  async #findRun(runId: string, request: AgentRequest) {
    if (!isId('run', runId)) return undefined;
    return await this.#deps.runs.findRun(request.context.userId, runId satisfies RunId);
  }
}

function rejected(error: ErrorBody): CommandWork {
  return { reply: { rejected: error }, remembered: false };
}

function agentNotFound(agent: string, names: readonly string[]): ErrorBody {
  const message = `There is no agent "${agent}". The agents are: ${names.join(', ')}.`;
  return createErrorBody('AGENT_NOT_FOUND', { message, details: { agents: names } });
}

function knownThreadId(text: string): ThreadId | undefined {
  if (isId('thread', text)) return text;
  return isUuid(text) ? idFromUuid('thread', text) : undefined;
}
