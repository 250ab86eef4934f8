import { LIMITS, type Limits } from '@runwire/protocol';
import { RAISED_LIMITS } from '../runwire/raised-limits.js';

/** What the reference server is configured with: the raised limits, and those of one machine that signs up everybody. */
export function serverEnvironment(directory: string): Readonly<Record<string, string>> {
  const environment: Record<string, string> = {
    PORT: '0',
    LOG_LEVEL: 'warn',
    RUNWIRE_DATA_DIR: directory,
    RUNWIRE_MAX_ATTEMPTS_PER_ADDRESS: '1000000',
    RUNWIRE_MAX_REQUESTS_PER_MINUTE: '1000000',
  };
  for (const name of Object.keys(LIMITS) as (keyof Limits)[]) {
    if (RAISED_LIMITS[name] === LIMITS[name]) continue;
    const variable = `RUNWIRE_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
    environment[variable] = String(RAISED_LIMITS[name]);
  }
  return environment;
}
