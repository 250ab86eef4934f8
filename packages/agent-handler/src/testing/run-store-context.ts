import assert from 'node:assert/strict';
import { createIdGenerator, type IdGenerator, type UserId } from '@runwire/id-generation';
import { createManualClock, type ManualClock } from '@runwire/kernel/testing';
import type { AcceptMessage, AcceptOutcome, FinishRun, RunStore, ThreadStore } from '../contract.js';

/** What a case works with; each case needs a fresh, empty database. */
export interface RunStoreConformanceContext {
  /** The clock that the stores are built with. */
  readonly clock: ManualClock;
  readonly ids: IdGenerator;
  readonly threads: ThreadStore;
  readonly runs: RunStore;
  /** A user that the stores accept. */
  readonly newUser: () => Promise<UserId>;
}

/** One promise of the contract. `run` rejects with an `AssertionError` when it is broken. */
export interface RunStoreConformanceCase {
  readonly name: string;
  readonly run: (context: RunStoreConformanceContext) => Promise<void>;
}

/** How to build a context. */
export interface RunStoreContextOptions {
  /** Opens empty stores of the implementation under test. */
  readonly open: (deps: {
    readonly clock: ManualClock;
  }) => Promise<{ readonly threads: ThreadStore; readonly runs: RunStore }>;
  /** Makes a user known to the stores, where they insist on it. */
  readonly addUser?: (userId: UserId) => Promise<void>;
}

/** Creates the context of one case. */
export async function createRunStoreContext(
  options: RunStoreContextOptions,
): Promise<RunStoreConformanceContext> {
  const clock = createManualClock();
  const ids = createIdGenerator({ clock });
  const { threads, runs } = await options.open({ clock });
  return {
    clock,
    ids,
    threads,
    runs,
    async newUser() {
      const userId = ids.userId();
      await options.addUser?.(userId);
      return userId;
    },
  };
}

/** A message for the stores to accept; what is not given is made up. The thread is new unless one is given. */
export function messageOf(
  { ids, clock }: Pick<RunStoreConformanceContext, 'ids' | 'clock'>,
  fields: Partial<AcceptMessage> & Pick<AcceptMessage, 'userId'>,
): AcceptMessage {
  const thread = fields.thread ?? { kind: 'new', threadId: ids.threadId() };
  const requestId = ids.requestId();
  return {
    command: undefined,
    producer: { id: `cmd:${fields.command?.id ?? requestId}`, attempt: 1, n: 1 },
    title: 'A thread',
    messageId: ids.messageId(),
    runId: ids.runId(thread.threadId),
    answerId: ids.messageId(),
    agent: 'echo',
    parts: [{ type: 'text', text: 'Hello.' }],
    metadata: undefined,
    nowMs: clock.nowMs(),
    ...fields,
    thread,
  };
}

/** An outcome that is known to be an acceptance. */
export type Accepted = Extract<AcceptOutcome, { readonly kind: 'accepted' }>;

/** Has a message accepted, and returns it with its outcome. */
export async function accept(
  context: RunStoreConformanceContext,
  fields: Partial<AcceptMessage> & Pick<AcceptMessage, 'userId'>,
): Promise<{ readonly message: AcceptMessage; readonly outcome: Accepted }> {
  const message = messageOf(context, fields);
  const outcome = await context.runs.acceptMessage(message);
  assert.ok(outcome.kind === 'accepted', `the message is ${outcome.kind}`);
  return { message, outcome };
}

/** The end of a run that was accepted, as an engine writes it. */
export function endOf(
  { clock }: Pick<RunStoreConformanceContext, 'clock'>,
  message: AcceptMessage,
  fields: Partial<FinishRun> = {},
): FinishRun {
  const { userId, runId, agent, answerId, thread } = message;
  const { status = 'completed', attempt = 1 } = fields;
  return {
    userId,
    runId,
    attempt,
    status,
    parts: [{ type: 'text', part: 0, text: 'Hello yourself.' }],
    terminal: {
      draft: {
        type: 'agent_completed',
        threadId: thread.threadId,
        runId,
        data: { agent, messageId: answerId, status, result: 'Hello yourself.', durationMs: 5 },
      },
      producer: { id: runId, attempt, n: 4 },
    },
    nowMs: clock.nowMs(),
    ...fields,
  };
}
