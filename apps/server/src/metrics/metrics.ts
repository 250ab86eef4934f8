import type { SupervisorStats } from '@runwire/agent-handler';
import type { BridgeStats } from '@runwire/bridge-factory';
import type { PoolStats } from '@runwire/connection-pool';
import type { SocketServerStats } from '@runwire/websocket-core';
import { Counter, Gauge, Registry } from 'prom-client';

/** Where the numbers come from: read at each scrape, kept nowhere else. */
export interface MetricSources {
  readonly sockets: () => SocketServerStats;
  readonly pool: () => PoolStats;
  readonly bridge: () => BridgeStats;
  readonly runs: () => SupervisorStats;
  readonly sessions: () => { readonly open: number; readonly failed: number };
}

/** Creates a registry of this server alone. No label holds an id. */
export function createMetrics(sources: MetricSources): Registry {
  const registry = new Registry();
  socketMetrics(registry, sources);
  deliveryMetrics(registry, sources);
  runMetrics(registry, sources);
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

function deliveryMetrics(registry: Registry, { bridge, sessions }: MetricSources): void {
  gauge(registry, 'runwire_cursors', 'Cursors by state.', 'state', () => {
    const { cursors, cursorsBehind } = bridge();
    return { live: cursors - cursorsBehind, behind: cursorsBehind };
  });
  counter(registry, { name: 'runwire_events_total', help: 'Events by step.', label: 'step' }, () => ({
    sent: bridge().eventsSent,
    acked: bridge().eventsAcked,
  }));
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

function single(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}

function gauge(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  read: () => Readonly<Record<string, number>>,
): void {
  new Gauge({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [value, count] of Object.entries(read())) this.set({ [label]: value }, count);
    },
  });
}

function counter(
  registry: Registry,
  what: { readonly name: string; readonly help: string; readonly label: string },
  read: () => Readonly<Record<string, number>>,
): void {
  new Counter({
    name: what.name,
    help: what.help,
    labelNames: [what.label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [value, count] of Object.entries(read())) this.inc({ [what.label]: value }, count);
    },
  });
}
