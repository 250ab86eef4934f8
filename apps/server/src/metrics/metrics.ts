import type { SupervisorStats } from '@runwire/agent-handler';
import type { BridgeStats } from '@runwire/bridge-factory';
import type { PoolStats } from '@runwire/connection-pool';
import type { FileEventLogStats } from '@runwire/event-log-file';
import type { SocketServerStats } from '@runwire/websocket-core';
import { Registry } from 'prom-client';
import type { DeliveryMeter } from '../delivery/delivery-meter.js';
import { counter, gauge, single, total } from './instruments.js';
import { logMetrics } from './log-metrics.js';

/** Where the numbers come from: read at each scrape, kept nowhere else. */
export interface MetricSources {
  readonly sockets: () => SocketServerStats;
  readonly pool: () => PoolStats;
  readonly bridge: () => BridgeStats;
  readonly runs: () => SupervisorStats;
  readonly sessions: () => { readonly open: number; readonly failed: number };
  /** Undefined for a log in memory, which has nothing to show. */
  readonly log: () => FileEventLogStats | undefined;
  /** Counts as events pass, and observes what only passes once. */
  readonly delivery: DeliveryMeter;
}

/** Creates a registry of this server alone. No label holds an id. */
export function createMetrics(sources: MetricSources): Registry {
  const registry = new Registry();
  socketMetrics(registry, sources);
  deliveryMetrics(registry, sources);
  runMetrics(registry, sources);
  if (sources.log() !== undefined) logMetrics(registry, sources.log);
  return registry;
}

function socketMetrics(registry: Registry, { sockets, pool }: MetricSources): void {
  const byLabel = (name: string, help: string, label: string, read: () => Readonly<Record<string, number>>) =>
    counter(registry, { name, help, label }, read);
  gauge(registry, 'runwire_connections', 'Open connections by state.', 'state', () => sockets().connections);
  single(registry, 'runwire_users_connected', 'Users with at least one connection.', () => pool().users);
  single(
    registry,
    'runwire_handlers',
    'Handler registrations of open connections.',
    () => sockets().handlers,
  );
  byLabel('runwire_upgrades_total', 'Upgrades by result.', 'result', () => ({
    accepted: sockets().accepted,
    ...sockets().refused,
  }));
  byLabel('runwire_closes_total', 'Closed connections by close code.', 'code', () => sockets().closed);
  byLabel('runwire_messages_total', 'Inbound messages by outcome.', 'outcome', () => ({
    routed: sockets().routed,
    ...sockets().rejected,
  }));
}

function deliveryMetrics(registry: Registry, { bridge, sessions, delivery }: MetricSources): void {
  gauge(registry, 'runwire_cursors', 'Cursors by state.', 'state', () => {
    const { cursors, cursorsBehind } = bridge();
    return { live: cursors - cursorsBehind, behind: cursorsBehind };
  });
  const events = (step: string, help: string, read: () => number): void =>
    total(registry, `runwire_events_${step}_total`, help, read);
  events('appended', 'Events that the log has taken.', () => delivery.eventsAppended);
  events('sent', 'Events handed to connections, per connection.', () => bridge().eventsSent);
  events('acked', 'Events that clients have applied, per connection.', () => bridge().eventsAcked);
  registry.registerMetric(delivery.waits);
  single(registry, 'runwire_database_sessions', 'Open database sessions.', () => sessions().open);
  counter(
    registry,
    { name: 'runwire_transactions_total', help: 'Database transactions by result.', label: 'result' },
    () => ({ failed: sessions().failed }),
  );
}

function runMetrics(registry: Registry, { runs }: MetricSources): void {
  single(registry, 'runwire_runs_active', 'Runs under way.', () => runs().active);
  counter(
    registry,
    { name: 'runwire_runs_total', help: 'Ended runs by status.', label: 'status' },
    () => runs().ended,
  );
}
