import type { Logger } from '@runwire/kernel';
import { pino } from 'pino';
import type { ServerConfig } from './config/environment.js';

/** Where a secret could be in a logged object; it is replaced, whatever put it there. */
const SECRETS = [
  'authorization',
  'password',
  'token',
  'accessToken',
  'refreshToken',
  'secret',
  'cookie',
  'headers["sec-websocket-protocol"]',
].flatMap((name) => (name.includes('[') ? [name, `*.${name}`] : [name, `*.${name}`, `*.*.${name}`]));

/** Creates the process's logger: JSON lines on standard output, secrets redacted. */
export function createServerLogger(config: Pick<ServerConfig, 'logLevel'>): Logger {
  return pino({
    level: config.logLevel,
    redact: { paths: SECRETS, censor: '[redacted]' },
    base: { service: 'runwire' },
  });
}
