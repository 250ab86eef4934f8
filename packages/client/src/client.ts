import type { Clock } from '@runwire/kernel';
import type { ClientMessageOf, CommandResult, Cursor } from '@runwire/protocol';
import { LIMITS } from '@runwire/protocol';
import { type Commands, createCommands, type SentCommandType } from './commands.js';
import { type Connector, createConnector } from './connector.js';
import type {
  ApprovalDecision,
  ClientOptions,
  ClientProblem,
  ClientState,
  ClientStats,
  RunwireClient,
  SendMessage,
} from './contract.js';
import { createDelivery, type Delivery } from './delivery.js';
import { type ClientError, stopError } from './errors.js';
import { createInbound, type Inbound } from './inbound.js';
import { createListeners, type Listeners } from './listeners.js';
import { type ResolvedOptions, resolveOptions } from './options.js';
import { createTokenRefresh, type TokenRefresh } from './token-refresh.js';

/**
 * Creates a client, idle: `connect` starts it. Reads `options.storage` once.
 *
 * @throws ClientError `CLIENT_INVALID_OPTIONS`
 */
export function createRunwireClient(options: ClientOptions): RunwireClient {
  return new StreamClient(resolveOptions(options));
}

class StreamClient implements RunwireClient {
  readonly #clock: Clock;
  readonly #inbound: Inbound;
  readonly #connector: Connector;
  readonly #delivery: Delivery;
  readonly #commands: Commands;
  readonly #refresh: TokenRefresh;
  readonly #errors: Listeners<ClientProblem>;
  readonly #states: Listeners<ClientState>;
  #acksSent = 0;

  constructor(options: ResolvedOptions) {
    const { clock, newId } = options;
    const report = (problem: ClientProblem): void => this.#errors.emit(problem);
    this.#clock = clock;
    // What fails while a failure is being told has nobody left to be told to.
    this.#errors = createListeners(() => undefined);
    this.#states = createListeners((cause) =>
      report({ code: 'LISTENER_FAILED', message: 'A listener threw.', cause }),
    );
    this.#refresh = createTokenRefresh({ ...options, report });
    this.#commands = createCommands(
      { clock, newId, transmit: (text) => this.#connector.link?.transmit(text) },
      { ...options, maxMessageBytes: LIMITS.maxMessageBytes },
    );
    this.#delivery = createDelivery(
      {
        report,
        onLateApply: () => this.#connector.link?.applied(0, this.#appliedSeq),
        onOverflow: () => this.#inbound.resync(this.#connector.link),
        onSnapshotFailed: () => this.#connector.drop('snapshot failed'),
      },
      options,
    );
    this.#inbound = createInbound({
      clock,
      report,
      delivery: this.#delivery,
      commands: this.#commands,
      refresh: this.#refresh,
      connector: () => this.#connector,
    });
    this.#connector = this.#createConnector(options);
  }

  get state(): ClientState {
    return this.#connector.state;
  }

  get cursor(): Cursor | undefined {
    return this.#delivery.applied;
  }

  get stats(): ClientStats {
    return { ...this.#delivery.counts, connections: this.#inbound.connections, acksSent: this.#acksSent };
  }

  serverNowMs(): number {
    return this.#clock.nowMs() + this.#inbound.serverOffsetMs;
  }

  connect(): Promise<void> {
    return this.#connector.connect();
  }

  async close(): Promise<void> {
    this.#delivery.close();
    this.#connector.close();
    this.#states.clear();
    this.#errors.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  send(message: SendMessage): Promise<CommandResult<'user_message'>> {
    return this.#command({ ...message, type: 'user_message' });
  }

  stop(runId: string): Promise<CommandResult<'stop_agent'>> {
    return this.#command({ type: 'stop_agent', runId });
  }

  approve(decision: ApprovalDecision): Promise<CommandResult<'resolve_approval'>> {
    return this.#command({ ...decision, type: 'resolve_approval' });
  }

  readonly on: RunwireClient['on'] = (type, listener) => this.#delivery.on(type, listener);
  readonly onEvent: RunwireClient['onEvent'] = (listener) => this.#delivery.onEvent(listener);
  readonly onReset: RunwireClient['onReset'] = (listener) => this.#delivery.onReset(listener);
  readonly onState: RunwireClient['onState'] = (listener) => this.#states.add(listener);
  readonly onError: RunwireClient['onError'] = (listener) => this.#errors.add(listener);
  readonly events: RunwireClient['events'] = () => this.#delivery.events();
  readonly openThread: RunwireClient['openThread'] = (view) => this.#delivery.openThread(view);

  get #appliedSeq(): number {
    return this.#delivery.applied?.seq ?? 0;
  }

  async #command<T extends SentCommandType>(message: ClientMessageOf<T>): Promise<CommandResult<T>> {
    const { state } = this.#connector;
    if (state.kind === 'closed') throw stopError(state);
    return this.#commands.send(message);
  }

  #createConnector(options: ResolvedOptions): Connector {
    const report = (problem: ClientProblem): void => this.#errors.emit(problem);
    return createConnector(
      {
        report,
        resume: () => this.#delivery.received ?? options.start,
        link: {
          frame: (link, messages, bytes) => this.#inbound.frame(link, messages, bytes),
          invalidFrame: () => report({ code: 'FRAME_INVALID', message: 'A frame is no Runwire message.' }),
          gapUnresolved: (sent) => this.#inbound.giveUpGap(sent),
          ackSent: () => {
            this.#acksSent += 1;
          },
        },
        up: () => this.#commands.connected(),
        down: () => {
          this.#commands.disconnected();
          this.#refresh.cancel();
        },
        stopped: (error) => this.#stopped(error),
        onState: (state) => this.#states.emit(state),
      },
      options,
    );
  }

  #stopped(error: ClientError): void {
    this.#commands.disconnected();
    this.#commands.rejectAll(error);
    this.#refresh.cancel();
    const { state } = this.#connector;
    // Nothing will come any more: iterators end instead of waiting for ever.
    if (state.kind === 'closed' && !state.resumable) this.#delivery.close();
  }
}
