import type { AuditReport } from './audit-report.js';

/** What the server says of itself agrees with what was seen from outside. Of one process, from its start. */
export function auditCounters(metrics: ReadonlyMap<string, number>, seen: AuditReport): readonly string[] {
  const problems: string[] = [];
  const sent = metrics.get('runwire_events_sent_total') ?? 0;
  const acked = metrics.get('runwire_events_acked_total') ?? 0;
  if (sent < seen.applied)
    problems.push(`the server counts ${sent} events sent, ${seen.applied} were applied`);
  if (acked > sent) problems.push(`the server counts ${acked} events acked of ${sent} sent`);
  let ended = 0;
  for (const [name, value] of metrics) if (name.startsWith('runwire_runs_total{')) ended += value;
  // An erased run has left no trace but in the counter.
  if (seen.isWhole ? ended !== seen.runs : ended < seen.runs) {
    problems.push(`the server counts ${ended} ended runs, the users' streams have ${seen.runs}`);
  }
  return problems;
}
