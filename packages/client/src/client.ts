import type { Clock } from '@runwire/kernel';
import type { ClientMessageOf, CommandResult, Cursor } from '@runwire/protocol/wire';
import { type Commands, createCommands } from './commands.js';
import { type Connector, createConnector } from './connector.js';
import type {
  ApprovalDecision,
  ClientOptions,
  ClientProblem,
  ClientState,
  ClientStats,
  RunwireClient,
  SendMessage,
  TransportKind,
} from './contract.js';
import { createDelivery, type Delivery } from './delivery.js';
import { type ClientError, stopError } from './errors.js';
import { createInbound, type Inbound } from './inbound.js';
import { createListeners, type Listeners } from './listeners.js';
import { type ResolvedOptions, resolveOptions } from './options.js';
import type { PendingCommand, SentCommand } from './ports.js';
import { createTokenRefresh, type TokenRefresh } from './token-refresh.js';

/**
 * Creates a client, idle: `connect` starts it. Reads `options.storage` and `options.outbox` once.
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
  readonly #pending: Listeners<readonly PendingCommand[]>;
  readonly on: RunwireClient['on'];
  readonly onEvent: RunwireClient['onEvent'];
  readonly events: RunwireClient['events'];
  readonly openThread: RunwireClient['openThread'];
  readonly onReset: RunwireClient['onReset'];
  #acksSent = 0;

  constructor(options: ResolvedOptions) {
    this.#clock = options.clock;
    // What fails while a failure is being told has nobody left to be told to.
    this.#errors = createListeners();
    this.#states = createListeners(this.#failed);
    this.#pending = createListeners(this.#failed);
    this.#refresh = createTokenRefresh({ ...options, report: this.#report });
    this.#commands = this.#createCommands(options);
    this.#delivery = createDelivery(
      {
        report: this.#report,
        failed: this.#failed,
        onLateApply: () => this.#connector.link?.applied(0, this.#delivery.applied?.seq ?? 0),
        onOverflow: () => this.#inbound.resync(this.#connector.link),
        onSnapshotFailed: () => this.#connector.drop('snapshot failed'),
        onHandlerFailed: () => this.#connector.stop({ code: 0, reason: 'a handler threw', resumable: true }),
      },
      options,
    );
    this.#inbound = createInbound({
      clock: options.clock,
      report: this.#report,
      delivery: this.#delivery,
      commands: this.#commands,
      refresh: this.#refresh,
      connector: () => this.#connector,
    });
    this.#connector = this.#createConnector(options);
    const { consumers } = this.#delivery;
    this.on = consumers.on;
    this.onEvent = consumers.onEvent;
    this.events = consumers.events;
    this.openThread = consumers.openThread;
    this.onReset = this.#delivery.onReset;
  }

  get state(): ClientState {
    return this.#connector.state;
  }

  get transport(): TransportKind {
    return this.#connector.transport;
  }

  get pendingCommands(): readonly PendingCommand[] {
    return this.#commands.pending;
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
    this.#connector.stop({ code: 1000, reason: 'closed', resumable: false });
    for (const listeners of [this.#states, this.#pending, this.#errors]) listeners.clear();
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

  cancelCommand(id: string): boolean {
    return this.#commands.cancel(id);
  }

  readonly onState: RunwireClient['onState'] = (listener) => this.#states.add(listener);
  readonly onError: RunwireClient['onError'] = (listener) => this.#errors.add(listener);
  readonly onPendingCommands: RunwireClient['onPendingCommands'] = (listener) => this.#pending.add(listener);

  async #command<T extends SentCommand['type']>(message: ClientMessageOf<T>): Promise<CommandResult<T>> {
    const { state } = this.#connector;
    if (state.kind === 'stopped') throw stopError(state);
    return this.#commands.send(message);
  }

  readonly #report = (problem: ClientProblem): void => this.#errors.emit(problem);

  readonly #failed = (cause: unknown): void =>
    this.#report({ code: 'LISTENER_FAILED', message: 'A listener threw.', cause });

  #createCommands(options: ResolvedOptions): Commands {
    return createCommands(
      {
        ...options,
        transmit: (text) => this.#connector.link?.transmit(text),
        changed: (pending) => this.#pending.emit(pending),
        report: this.#report,
      },
      options,
    );
  }

  #createConnector(options: ResolvedOptions): Connector {
    return createConnector(
      {
        report: this.#report,
        resume: () => this.#delivery.received ?? options.start,
        link: {
          frame: (link, messages, bytes) => this.#inbound.frame(link, messages, bytes),
          invalidFrame: () =>
            this.#report({ code: 'FRAME_INVALID', message: 'A frame is no Runwire message.' }),
          gapUnresolved: (sent) => this.#inbound.giveUpGap(sent),
          ackSent: () => {
            this.#acksSent += 1;
          },
        },
        up: () => this.#commands.connected(),
        down: () => this.#down(),
        stopped: (error) => this.#stopped(error),
        onState: (state) => this.#states.emit(state),
      },
      options,
    );
  }

  #down(): void {
    this.#commands.disconnected();
    this.#refresh.cancel();
  }

  #stopped(error: ClientError): void {
    this.#down();
    const { state } = this.#connector;
    // `connect` may go on: commands wait for it, and so do iterators.
    if (state.kind === 'stopped' && state.resumable) return;
    this.#commands.rejectAll(error, error.code === 'CLIENT_CLOSED');
    this.#delivery.close();
  }
}
