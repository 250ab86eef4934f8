import { describe, expect, it } from '@jest/globals';
import type { FileEventLogStats } from '@runwire/event-log-file';
import { createIdGenerator } from '@runwire/id-generation';
import { createManualClock } from '@runwire/kernel/testing';
import { DeliveryMeter } from '../../src/delivery/delivery-meter.js';
import { createMetrics, type MetricSources } from '../../src/metrics/metrics.js';
import { compose } from '../support/composed.js';

const LOG: FileEventLogStats = {
  segments: 30,
  diskBytes: 31,
  liveBytes: 32,
  users: 33,
  records: 34,
  indexBytes: 35,
  writes: 37,
  bytesWritten: 38,
  syncs: 39,
  slowDisk: 40,
  longestDiskMs: 41_000,
  failedWrites: 42,
  failedSyncs: 43,
  failing: 'ENOSPC',
  damage: [{ segment: 'a', offset: 1, bytes: 44, reason: 'bad' }],
  damagedPlaces: 45,
  waiting: 48,
  tornBytes: 46,
  openMs: 47,
};

/** Three events appended, and two acknowledgements: one after 20 ms, one of unknown age. */
function measured(): DeliveryMeter {
  const clock = createManualClock();
  const ids = createIdGenerator({ clock });
  const meter = new DeliveryMeter({ clock });
  const userId = ids.userId();
  const connectionId = ids.connectionId();
  const result = { epoch: 'e', firstSeq: 1, lastSeq: 3, lastId: ids.eventId(), duplicate: false };
  meter.appended(result);
  meter.acked({ userId, connectionId, seq: 2, events: 2, waitedMs: 20 });
  meter.acked({ userId, connectionId, seq: 3, events: 1, waitedMs: undefined });
  return meter;
}

const SOURCES: MetricSources = {
  sockets: () => ({
    connections: { accepting: 1, authenticating: 2, admitting: 3, ready: 4, draining: 5 },
    handlers: 6,
    timers: 7,
    rateLimitedUsers: 0,
    accepted: 8,
    refused: { readiness: 9 },
    closed: { '1000': 10, other: 1 },
    routed: 11,
    rejected: { INVALID_JSON: 12, noHandler: 13 },
  }),
  pool: () => ({
    connections: 4,
    users: 14,
    addresses: 1,
    reservations: 0,
    managers: 1,
    admitted: 4,
    refused: { address: 0, total: 0, rate: 0, closed: 0 },
    displaced: 0,
    foreignAccess: 0,
    reaped: 0,
    monitoring: true,
  }),
  bridge: () => ({
    cursors: 20,
    cursorsBehind: 5,
    subscriptions: 1,
    emitters: 1,
    eventsSent: 16,
    eventsAcked: 17,
    acksRejected: 0,
    resyncsRejected: 0,
  }),
  runs: () => ({
    active: 18,
    reserved: 0,
    ended: { completed: 19, failed: 20, cancelled: 21, timed_out: 22, interrupted: 23 },
  }),
  sessions: () => ({ open: 24, failed: 25 }),
  log: () => LOG,
  delivery: measured(),
};

/** The samples of a Prometheus text, by name and labels. */
function samplesOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const cut = line.lastIndexOf(' ');
      return [line.slice(0, cut), Number(line.slice(cut + 1))];
    }),
  );
}

describe('the metrics', () => {
  it('have every name with the values of their sources', async () => {
    const samples = samplesOf(await createMetrics(SOURCES).metrics());
    expect(Object.fromEntries(samples)).toEqual({
      'runwire_connections{state="accepting"}': 1,
      'runwire_connections{state="authenticating"}': 2,
      'runwire_connections{state="admitting"}': 3,
      'runwire_connections{state="ready"}': 4,
      'runwire_connections{state="draining"}': 5,
      runwire_users_connected: 14,
      runwire_handlers: 6,
      'runwire_upgrades_total{result="accepted"}': 8,
      'runwire_upgrades_total{result="readiness"}': 9,
      'runwire_closes_total{code="1000"}': 10,
      'runwire_closes_total{code="other"}': 1,
      'runwire_messages_total{outcome="routed"}': 11,
      'runwire_messages_total{outcome="INVALID_JSON"}': 12,
      'runwire_messages_total{outcome="noHandler"}': 13,
      'runwire_cursors{state="live"}': 15,
      'runwire_cursors{state="behind"}': 5,
      runwire_events_appended_total: 3,
      runwire_events_sent_total: 16,
      runwire_events_acked_total: 17,
      ...Object.fromEntries(
        ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '10', '30', '+Inf'].map(
          (le, index) => [`runwire_delivery_ack_seconds_bucket{le="${le}"}`, index < 2 ? 0 : 1],
        ),
      ),
      runwire_delivery_ack_seconds_sum: 0.02,
      runwire_delivery_ack_seconds_count: 1,
      runwire_log_writes_total: 37,
      runwire_log_written_bytes_total: 38,
      runwire_log_syncs_total: 39,
      'runwire_log_failures_total{operation="write"}': 42,
      'runwire_log_failures_total{operation="sync"}': 43,
      runwire_log_slow_operations_total: 40,
      runwire_log_slowest_seconds: 41,
      runwire_log_failing: 1,
      runwire_log_disk_bytes: 31,
      runwire_log_live_bytes: 32,
      runwire_log_segments: 30,
      runwire_log_index_bytes: 35,
      runwire_log_waiting: 48,
      runwire_log_damaged_places: 45,
      runwire_database_sessions: 24,
      'runwire_transactions_total{result="failed"}': 25,
      runwire_runs_active: 18,
      'runwire_runs_total{status="completed"}': 19,
      'runwire_runs_total{status="failed"}': 20,
      'runwire_runs_total{status="cancelled"}': 21,
      'runwire_runs_total{status="timed_out"}': 22,
      'runwire_runs_total{status="interrupted"}': 23,
    });
  });

  it('are read anew at each scrape: a counter is not added up, a label that is gone is gone', async () => {
    const connections = { accepting: 0, authenticating: 0, admitting: 0, ready: 1, draining: 0 };
    let accepted = 3;
    const metrics = createMetrics({
      ...SOURCES,
      sockets: () => ({
        ...SOURCES.sockets(),
        accepted,
        connections,
        refused: accepted === 3 ? { origin: 1 } : {},
      }),
    });
    await metrics.metrics();
    accepted = 4;
    const samples = samplesOf(await metrics.metrics());
    expect(samples.get('runwire_upgrades_total{result="accepted"}')).toBe(4);
    expect(samples.has('runwire_upgrades_total{result="origin"}')).toBe(false);
  });

  it('tell nothing of the disk for a log in memory', async () => {
    const metrics = createMetrics({ ...SOURCES, log: () => undefined });
    expect(await metrics.metrics()).not.toContain('runwire_log_');
  });

  it('are of one server: a second registry of the process knows nothing of them', async () => {
    const one = createMetrics(SOURCES);
    const other = createMetrics({ ...SOURCES, sessions: () => ({ open: 0, failed: 0 }) });
    expect(samplesOf(await one.metrics()).get('runwire_database_sessions')).toBe(24);
    expect(samplesOf(await other.metrics()).get('runwire_database_sessions')).toBe(0);
  });

  it('of a server at work hold no id in a label', async () => {
    await using composed = await compose();
    const { app } = composed.router;
    const { headers } = await composed.register('somebody');
    const made = await app.inject({ method: 'POST', url: '/api/threads', headers, payload: {} });
    await app.inject({ method: 'GET', url: `/api/threads/${made.json().id}`, headers });
    const answer = await app.inject({ method: 'GET', url: '/metrics' });
    expect(answer.headers['content-type']).toContain('text/plain');
    const samples = samplesOf(answer.body);
    expect(samples.size).toBeGreaterThan(15);
    for (const [name, value] of samples) {
      expect(Number.isFinite(value)).toBe(true);
      expect(name).not.toMatch(/(user|thread|run|request|connection|message|session)_[0-9a-z]{9}/);
      for (const [, label = ''] of name.matchAll(/(?<!\ble)="([^"]*)"/g)) expect(label).toMatch(/^\w{1,32}$/);
    }
  });
});
