import type { UserEmitter, WebSocketBridgeFactory } from '@runwire/bridge-factory';
import type { IdGenerator, UserId } from '@runwire/id-generation';
import { createRequestContext, runWithContext, type UserExecutionContext } from '@runwire/user-context';

/** Which part of the answer the next event belongs to. Events of one part may be merged, those of others may not. */
export type PartChoice = 'distinct' | 'same';

/** What the runs of one user are made with. */
export interface UserRunsDeps {
  readonly bridge: WebSocketBridgeFactory;
  readonly ids: IdGenerator;
}

/** A run knows 10,000 parts at most; the next one begins between two turns before that. */
const MAX_PARTS = 8_000;

const AGENT = 'benchmark';

/** What one user's agents emit: run after run, each through its own emitter and within its own context. */
export class UserRuns {
  readonly #deps: UserRunsDeps;
  readonly #userId: UserId;
  readonly #parts: PartChoice;
  #run: { readonly context: UserExecutionContext; readonly emitter: UserEmitter } | undefined;
  #messageId;
  #part = 0;
  #next: Promise<void> | undefined;

  constructor(deps: UserRunsDeps, userId: UserId, parts: PartChoice) {
    this.#deps = deps;
    this.#userId = userId;
    this.#parts = parts;
    this.#messageId = deps.ids.messageId();
  }

  /** Begins the first run. */
  async begin(): Promise<void> {
    const { bridge, ids } = this.#deps;
    const request = createRequestContext({ userId: this.#userId, requestId: ids.requestId() });
    const threadId = ids.threadId();
    const context = request.forRun({ threadId, runId: ids.runId(threadId) });
    const emitter = bridge.createUserEmitter(context);
    const messageId = ids.messageId();
    this.#run = { context, emitter };
    this.#messageId = messageId;
    this.#part = 0;
    await emitter.agentStarted({ agent: AGENT, messageId, attempt: 1 });
  }

  /** Emits one delta. Settles when the emitter has room for more, or the next run has begun. */
  emit(text: string): Promise<void> {
    const run = this.#run;
    if (run === undefined) throw new Error('The first run has not begun.');
    if (this.#parts === 'distinct') this.#part += 1;
    const delta = { messageId: this.#messageId, part: this.#part, kind: 'text', text } as const;
    const emitted = runWithContext(run.context, () => run.emitter.agentDelta(delta));
    return this.#part < MAX_PARTS ? emitted : this.#beginNext();
  }

  /** Settles when the log has everything. */
  async end(): Promise<void> {
    const { emitter } = this.#run ?? {};
    this.#run = undefined;
    await emitter?.agentCompleted({
      agent: AGENT,
      messageId: this.#messageId,
      status: 'completed',
      durationMs: 1,
    });
  }

  #beginNext(): Promise<void> {
    this.#next ??= this.#run?.emitter.flush().then(async () => {
      await this.end();
      await this.begin();
      this.#next = undefined;
    });
    return this.#next ?? Promise.resolve();
  }
}
