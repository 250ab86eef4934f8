import type {
  AgentMessageHandler,
  AgentRegistry,
  RunStore,
  RunSupervisor,
  ThreadStore,
} from '@runwire/agent-handler';
import type { WebSocketBridgeFactory } from '@runwire/bridge-factory';
import type { ConnectionPool } from '@runwire/connection-pool';
import type { EventLog } from '@runwire/event-log';
import type { FileEventLogStats } from '@runwire/event-log-file';
import type { IdGenerator } from '@runwire/id-generation';
import type { Clock, Logger } from '@runwire/kernel';
import type { AuthService } from '../auth/auth-service.js';
import type { ServerConfig } from '../config/environment.js';
import type { DeliveryMeter } from '../delivery/delivery-meter.js';
import type { RequestStates } from '../http/request-state.js';
import type { DatabaseSessions } from '../persistence/session.js';
import type { OutboxSender } from '../threads/outbox-sender.js';
import type { ThreadService } from '../threads/thread-service.js';
import { token } from './scope.js';

/** What a server is composed of, by name and type. */
export const TOKENS = Object.freeze({
  config: token<ServerConfig>('config'),
  clock: token<Clock>('clock'),
  logger: token<Logger>('logger'),
  ids: token<IdGenerator>('ids'),
  sessions: token<DatabaseSessions>('sessions'),
  log: token<EventLog>('event log'),
  logStats: token<() => FileEventLogStats | undefined>('event log stats'),
  meter: token<DeliveryMeter>('delivery meter'),
  runs: token<RunStore>('run store'),
  threadStore: token<ThreadStore>('thread store'),
  pool: token<ConnectionPool>('connection pool'),
  bridge: token<WebSocketBridgeFactory>('bridge factory'),
  agents: token<AgentRegistry>('agent registry'),
  supervisor: token<RunSupervisor>('run supervisor'),
  handler: token<AgentMessageHandler>('agent message handler'),
  auth: token<AuthService>('auth service'),
  outbox: token<OutboxSender>('outbox sender'),
  threads: token<ThreadService>('thread service'),
  states: token<RequestStates>('request states'),
});
