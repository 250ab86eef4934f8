import type { ToolCallId } from '@runwire/id-generation';
import type { Clock } from '@runwire/kernel';
import type { UserExecutionContext } from '@runwire/user-context';
import type { DatabaseSession, DatabaseSessions } from './session.js';

/** Keeps what is too large for an event, and says where it can be fetched (protocol §4, Size). */
export interface LargeValues {
  storeResult(context: UserExecutionContext, text: string): Promise<string>;
  storeToolOutput(context: UserExecutionContext, toolCallId: ToolCallId, output: unknown): Promise<string>;
}

/** Creates the store. Values go with their run. */
export function createLargeValues(deps: { sessions: DatabaseSessions; clock: Clock }): LargeValues {
  const store = (context: UserExecutionContext, toolCallId: string, content: string): Promise<unknown> =>
    deps.sessions.with(({ db }) =>
      db
        .insertInto('large_values')
        .values({
          run_id: context.runId,
          tool_call_id: toolCallId,
          user_id: context.userId,
          content,
          created_at_ms: deps.clock.nowMs(),
        })
        .onConflict((conflict) => conflict.columns(['run_id', 'tool_call_id']).doUpdateSet({ content }))
        .execute(),
    );
  return {
    async storeResult(context, text) {
      await store(context, '', JSON.stringify(text));
      return `/api/runs/${context.runId}/result`;
    },
    async storeToolOutput(context, toolCallId, output) {
      await store(context, toolCallId, JSON.stringify(output));
      return `/api/runs/${context.runId}/tools/${toolCallId}/output`;
    },
  };
}

/** A stored value as JSON text, of one of the user's runs. An empty `toolCallId` asks for the result. */
export async function findLargeValue(
  session: DatabaseSession,
  what: { readonly userId: string; readonly runId: string; readonly toolCallId: string },
): Promise<string | undefined> {
  const row = await session.db
    .selectFrom('large_values')
    .select('content')
    .where('run_id', '=', what.runId)
    .where('tool_call_id', '=', what.toolCallId)
    .where('user_id', '=', what.userId)
    .executeTakeFirst();
  return row?.content;
}
