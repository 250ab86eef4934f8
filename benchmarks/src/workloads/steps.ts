import type { EmitPlan } from '../harness/emission.js';
import type { ClientHandle, Field, Round } from '../harness/round.js';

/** More handshakes at a time would wait for each other. */
const CONCURRENCY = 16;

/** Opens one connection for each token, of the field's clients unless `client` is given. */
export async function openConnections(
  { contestant }: Round,
  field: Field,
  request: {
    readonly tokens: readonly string[];
    readonly timed?: boolean;
    /** @default 1 */
    readonly firstNumber?: number;
    readonly client?: ClientHandle;
  },
): Promise<void> {
  const { tokens, timed = false, firstNumber = 1, client = field.client } = request;
  await client.caller.call('open', {
    contestant,
    port: field.port,
    tokens,
    concurrency: CONCURRENCY,
    timed,
    firstNumber,
  });
}

/** Emits a plan and waits until every connection has `perConnection` events in all. */
export async function emitAndReceive(field: Field, plan: EmitPlan, perConnection: number): Promise<void> {
  await Promise.all([
    field.client.caller.call('untilReceived', { perConnection }),
    field.server.caller.call('emit', plan),
  ]);
}
