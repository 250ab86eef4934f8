import { describe, expect, it } from '@jest/globals';
import { createMetrics, type MetricSources } from '../../src/metrics/metrics.js';
import { compose } from '../support/composed.js';

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
      'runwire_events_total{step="sent"}': 16,
      'runwire_events_total{step="acked"}': 17,
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
      for (const [, label = ''] of name.matchAll(/="([^"]*)"/g)) expect(label).toMatch(/^\w{1,32}$/);
    }
  });
});
