const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'narrow' });
const DATE = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short' });
const WEEK_MS = 7 * 86_400_000;

/** How long ago something was; a date when that is clearer. */
export function formatRelativeTime(atMs: number, nowMs: number): string {
  const agoMs = nowMs - atMs;
  if (agoMs >= WEEK_MS) return DATE.format(atMs);
  for (const [unit, unitMs] of UNITS) {
    if (agoMs >= unitMs) return RELATIVE.format(-Math.floor(agoMs / unitMs), unit);
  }
  return 'now';
}
