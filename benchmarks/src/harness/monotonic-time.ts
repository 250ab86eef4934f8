/** Microseconds of the machine's monotonic clock: the same in every process of this machine. */
export function monotonicMicros(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
