import assert from 'node:assert/strict';
import { createWebSocketBridgeFactory } from '@runwire/bridge-factory';
import { createMemoryEventLog } from '@runwire/event-log';
import { createIdGenerator } from '@runwire/id-generation';
import { createSystemClock } from '@runwire/kernel';
import { UserExecutionContext } from '@runwire/user-context';

const clock = createSystemClock();
const ids = createIdGenerator({ clock });
const quiet = () => undefined;
const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet, child: () => logger };
const log = createMemoryEventLog({ clock, ids, logger });

// A connection, as `websocket-core` makes them; here it keeps what it is sent.
const userId = ids.userId();
const received: { type: string; seq: number }[] = [];
const connection = {
  id: ids.connectionId(),
  userId,
  isOpen: true,
  bufferedBytes: 0,
  establish: quiet,
  send: quiet,
  sendFrames(frames: readonly Uint8Array[]) {
    for (const frame of frames) received.push(...[JSON.parse(new TextDecoder().decode(frame))].flat());
  },
  onDrain: () => quiet,
  onClose: () => quiet,
  handle: () => quiet,
  reportInFlight: quiet,
  close: quiet,
};
const connections = { connectionsOf: () => [connection] };

const bridge = createWebSocketBridgeFactory({ log, connections, ids, clock, logger });
const cursor = await bridge.attach(connection, { seq: 0 });
await cursor.caughtUp;

const threadId = ids.threadId();
const context = UserExecutionContext.fromRequest({
  userId,
  threadId,
  runId: ids.runId(threadId),
  requestId: ids.requestId(),
});
const run = bridge.createUserEmitter(context);
const messageId = ids.messageId();
await run.agentStarted({ agent: 'greeter', messageId, attempt: 1 });
await run.agentDelta({ messageId, part: 0, kind: 'text', text: 'Hello' });
await run.agentDelta({ messageId, part: 0, kind: 'text', text: ' there' });
await run.agentCompleted({
  agent: 'greeter',
  messageId,
  status: 'completed',
  result: 'Hello there',
  durationMs: 1,
});
await new Promise<void>((resolve) => clock.nextTurn(resolve));

assert.deepEqual(
  received.map(({ seq, type }) => `${seq} ${type}`),
  ['1 agent_started', '2 agent_delta', '3 agent_delta', '4 agent_completed'],
);
await bridge.close();
assert.equal(bridge.stats().cursors, 0);
