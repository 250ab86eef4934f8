import type { FsyncPolicy } from '@runwire/event-log-file';
import { LIMITS } from '@runwire/protocol';
import { z } from 'zod';
import { ConfigError } from './errors.js';
import { LIMIT_BY_VARIABLE, type Limits, limitConflicts } from './limits.js';

/** What the server is configured with. Parsed once, at the start. */
export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  readonly dataDirectory: string;
  /** Undefined: made once and kept in the data folder (not in production). */
  readonly jwtSecret: string | undefined;
  readonly accessTokenLifetimeMs: number;
  readonly allowedOrigins: readonly string[];
  readonly trustProxy: boolean;
  readonly metricsToken: string | undefined;
  readonly logLevel: LogLevel;
  readonly log: LogConfig;
  readonly production: boolean;
  /** Sign-in and sign-up attempts in 15 minutes. */
  readonly maxAttemptsPerAccount: number;
  readonly maxAttemptsPerAddress: number;
  /** HTTP requests per address and minute. */
  readonly maxRequestsPerMinute: number;
  /** Attempts of one run of an agent that says `retryOnCrash`, the first included. */
  readonly maxRunAttempts: number;
  /** Of text in the answer of one run. */
  readonly maxAnswerBytes: number;
  readonly limits: Limits;
}

/** Where events are kept. */
export type LogConfig =
  | {
      readonly kind: 'file';
      readonly fsync: FsyncPolicy;
      /** Of all users together. */
      readonly maxTotalBytes: number;
    }
  /** Gone with the process: for tests and benchmarks. */
  | { readonly kind: 'memory' };

/** How much is logged. */
export type LogLevel = (typeof LOG_LEVELS)[number];

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** A variable that another version understands: set here it would be ignored, which nobody wants. */
const NOT_YET = [
  'DATABASE_URL',
  'REDIS_URL',
  'RUNWIRE_ADMIN_EMAILS',
  'RUNWIRE_JWKS_URL',
  'RUNWIRE_JWT_AUDIENCE',
  'RUNWIRE_JWT_ISSUER',
  'RUNWIRE_MODEL',
  'RUNWIRE_MODEL_API_KEY',
  'RUNWIRE_MODEL_BASE_URL',
] as const;

/** Room for the largest event of some users; less than that would keep nobody's last hour. */
const MIN_LOG_BYTES = 16 * 1_024 ** 2;

const integer = (least: number, most: number, fallback: number) =>
  z
    .string()
    .regex(/^\d+$/, { error: `expected a whole number from ${least} to ${most}` })
    .transform(Number)
    .refine((value) => value >= least && value <= most, {
      error: `expected a whole number from ${least} to ${most}`,
    })
    .default(fallback);

const list = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  )
  .default([]);

const flag = z
  .enum(['true', 'false', '1', '0'], { error: 'expected true or false' })
  .transform((text) => text === 'true' || text === '1')
  .default(false);

const origin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text;

const VARIABLES = z.object({
  PORT: integer(0, 65_535, 8_000),
  HOST: z.string().min(1, { error: 'expected a host name or an IP address' }).default('127.0.0.1'),
  NODE_ENV: z.string().default('development'),
  LOG_LEVEL: z.enum(LOG_LEVELS, { error: `expected one of ${LOG_LEVELS.join(', ')}` }).default('info'),
  RUNWIRE_DATA_DIR: z.string().min(1, { error: 'expected a folder' }).default('./data'),
  RUNWIRE_LOG: z.enum(['file', 'memory'], { error: 'expected file or memory' }).default('file'),
  RUNWIRE_LOG_FSYNC: z
    .enum(['never', 'interval', 'always'], { error: 'expected never, interval or always' })
    .default('interval'),
  RUNWIRE_LOG_MAX_BYTES: integer(MIN_LOG_BYTES, Number.MAX_SAFE_INTEGER, 16 * 1_024 ** 3),
  RUNWIRE_JWT_SECRET: z.string().min(32, { error: 'expected at least 32 characters' }).optional(),
  RUNWIRE_ACCESS_TOKEN_LIFETIME_MS: integer(1_000, 86_400_000, 900_000),
  RUNWIRE_ALLOWED_ORIGINS: list.refine((origins) => origins.every(origin), {
    error: 'expected origins such as https://chat.example.com, separated by commas',
  }),
  RUNWIRE_TRUST_PROXY: flag,
  RUNWIRE_METRICS_TOKEN: z.string().min(16, { error: 'expected at least 16 characters' }).optional(),
  RUNWIRE_MAX_ATTEMPTS_PER_ACCOUNT: integer(1, 1_000_000, 10),
  RUNWIRE_MAX_ATTEMPTS_PER_ADDRESS: integer(1, 1_000_000, 100),
  RUNWIRE_MAX_REQUESTS_PER_MINUTE: integer(1, 10_000_000, 600),
  RUNWIRE_MAX_RUN_ATTEMPTS: integer(1, 100, 3),
  RUNWIRE_MAX_ANSWER_BYTES: integer(1, 1_073_741_824, 33_554_432),
});

/**
 * Reads the configuration.
 * @throws ConfigError `CONFIG_INVALID`, with a line for each variable that names it and what was expected
 */
export function parseEnvironment(env: Readonly<Record<string, string | undefined>>): ServerConfig {
  const problems = [...unknownVariables(env)];
  const parsed = VARIABLES.safeParse(env);
  if (!parsed.success) {
    for (const issue of parsed.error.issues)
      problems.push(describe(String(issue.path[0]), issue.message, env));
  }
  const limits = parseLimits(env, problems);
  problems.push(...limitConflicts(limits));
  if (
    parsed.success &&
    parsed.data.NODE_ENV === 'production' &&
    parsed.data.RUNWIRE_JWT_SECRET === undefined
  ) {
    problems.push('RUNWIRE_JWT_SECRET is missing: in production expected at least 32 random characters');
  }
  if (!parsed.success || problems.length > 0) throw new ConfigError('CONFIG_INVALID', problems.join('\n'));
  return toConfig(parsed.data, limits);
}

function toConfig(values: z.output<typeof VARIABLES>, limits: Limits): ServerConfig {
  return Object.freeze({
    host: values.HOST,
    port: values.PORT,
    dataDirectory: values.RUNWIRE_DATA_DIR,
    jwtSecret: values.RUNWIRE_JWT_SECRET,
    accessTokenLifetimeMs: values.RUNWIRE_ACCESS_TOKEN_LIFETIME_MS,
    allowedOrigins: values.RUNWIRE_ALLOWED_ORIGINS,
    trustProxy: values.RUNWIRE_TRUST_PROXY,
    metricsToken: values.RUNWIRE_METRICS_TOKEN,
    logLevel: values.LOG_LEVEL,
    log: toLogConfig(values),
    production: values.NODE_ENV === 'production',
    maxAttemptsPerAccount: values.RUNWIRE_MAX_ATTEMPTS_PER_ACCOUNT,
    maxAttemptsPerAddress: values.RUNWIRE_MAX_ATTEMPTS_PER_ADDRESS,
    maxRequestsPerMinute: values.RUNWIRE_MAX_REQUESTS_PER_MINUTE,
    maxRunAttempts: values.RUNWIRE_MAX_RUN_ATTEMPTS,
    maxAnswerBytes: values.RUNWIRE_MAX_ANSWER_BYTES,
    limits,
  });
}

function toLogConfig(values: z.output<typeof VARIABLES>): LogConfig {
  if (values.RUNWIRE_LOG === 'memory') return { kind: 'memory' };
  return { kind: 'file', fsync: values.RUNWIRE_LOG_FSYNC, maxTotalBytes: values.RUNWIRE_LOG_MAX_BYTES };
}

function* unknownVariables(env: Readonly<Record<string, string | undefined>>): Generator<string> {
  for (const name of NOT_YET) {
    if (env[name] !== undefined) yield `${name} is set, but this version does not support it: unset it`;
  }
  for (const name of Object.keys(env)) {
    if (!name.startsWith('RUNWIRE_') || name in VARIABLES.shape || LIMIT_BY_VARIABLE.has(name)) continue;
    if ((NOT_YET as readonly string[]).includes(name)) continue;
    yield `${name} is no variable of this server: see --help for those there are`;
  }
}

function parseLimits(env: Readonly<Record<string, string | undefined>>, problems: string[]): Limits {
  const limits: Record<keyof Limits, number> = { ...LIMITS };
  for (const [variable, name] of LIMIT_BY_VARIABLE) {
    const text = env[variable];
    if (text === undefined) continue;
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0) limits[name] = value;
    else problems.push(describe(variable, 'expected a whole number above 0', env));
  }
  return limits;
}

const SECRETS = new Set(['RUNWIRE_JWT_SECRET', 'RUNWIRE_METRICS_TOKEN']);

function describe(
  variable: string,
  expectation: string,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const value = env[variable] ?? '';
  const shown = SECRETS.has(variable) ? `${value.length} characters` : JSON.stringify(value.slice(0, 64));
  return `${variable}: ${expectation}, got ${shown}`;
}

/** The variables without a default, as `--help` shows them. */
const EMPTY = { RUNWIRE_JWT_SECRET: '', RUNWIRE_METRICS_TOKEN: '' };

/** The names of all variables, with defaults, for `--help`. */
export function describeVariables(): readonly { readonly name: string; readonly fallback: string }[] {
  const own = Object.entries({ ...EMPTY, ...VARIABLES.parse({}) }).map(([name, fallback]) => ({
    name,
    fallback: String(fallback ?? ''),
  }));
  const limits = [...LIMIT_BY_VARIABLE].map(([name, limit]) => ({ name, fallback: String(LIMITS[limit]) }));
  return [...own, ...limits];
}
