import { useEffect, useState } from 'react';

/** The local time, renewed every `intervalMs`; `false` keeps it as it is. */
export function useNow(intervalMs: number | false): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    if (intervalMs === false) return;
    setNowMs(Date.now());
    const timer = setInterval(() => setNowMs(Date.now()), intervalMs);
    return () => clearInterval(timer);
  }, [intervalMs]);
  return nowMs;
}
