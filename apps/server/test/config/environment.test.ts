import { describe, expect, it } from '@jest/globals';
import { LIMITS } from '@runwire/protocol';
import { describeVariables, parseEnvironment } from '../../src/config/environment.js';
import { LIMIT_BY_VARIABLE, limitVariable } from '../../src/config/limits.js';

/** What a start with this environment is refused with. */
function refusal(env: Readonly<Record<string, string>>): string {
  try {
    parseEnvironment(env);
  } catch (error) {
    expect(error).toMatchObject({ name: 'ConfigError', code: 'CONFIG_INVALID' });
    return error instanceof Error ? error.message : '';
  }
  return 'accepted';
}

describe('the configuration', () => {
  it('has its documented defaults', () => {
    expect(parseEnvironment({})).toEqual({
      host: '127.0.0.1',
      port: 8_000,
      dataDirectory: './data',
      jwtSecret: undefined,
      accessTokenLifetimeMs: 900_000,
      allowedOrigins: [],
      trustProxy: false,
      metricsToken: undefined,
      logLevel: 'info',
      production: false,
      maxAttemptsPerAccount: 10,
      maxAttemptsPerAddress: 100,
      maxRequestsPerMinute: 600,
      maxRunAttempts: 3,
      maxAnswerBytes: 33_554_432,
      log: { kind: 'file', fsync: 'interval', maxTotalBytes: 16 * 1_024 ** 3 },
      limits: LIMITS,
    });
  });

  const accepted: readonly (readonly [string, string, object])[] = [
    ['PORT', '0', { port: 0 }],
    ['PORT', '65535', { port: 65_535 }],
    ['HOST', '0.0.0.0', { host: '0.0.0.0' }],
    ['LOG_LEVEL', 'silent', { logLevel: 'silent' }],
    ['RUNWIRE_DATA_DIR', '/var/lib/runwire', { dataDirectory: '/var/lib/runwire' }],
    ['RUNWIRE_JWT_SECRET', 's'.repeat(32), { jwtSecret: 's'.repeat(32) }],
    ['RUNWIRE_TRUST_PROXY', 'true', { trustProxy: true }],
    ['RUNWIRE_TRUST_PROXY', '0', { trustProxy: false }],
    ['RUNWIRE_METRICS_TOKEN', 'm'.repeat(16), { metricsToken: 'm'.repeat(16) }],
    [
      'RUNWIRE_ALLOWED_ORIGINS',
      'https://a.example, http://localhost:5173,',
      { allowedOrigins: ['https://a.example', 'http://localhost:5173'] },
    ],
    ['RUNWIRE_LOG', 'memory', { log: { kind: 'memory' } }],
    ['RUNWIRE_LOG_FSYNC', 'always', { log: { fsync: 'always' } }],
    ['RUNWIRE_LOG_MAX_BYTES', '16777216', { log: { maxTotalBytes: 16_777_216 } }],
    ['RUNWIRE_MAX_RUN_ATTEMPTS', '1', { maxRunAttempts: 1 }],
    ['SOMETHING_ELSE', 'of the machine', { port: 8_000 }],
  ];
  for (const [name, value, expected] of accepted) {
    it(`takes ${name}=${JSON.stringify(value)}`, () => {
      expect(parseEnvironment({ [name]: value })).toMatchObject(expected);
    });
  }

  const refused: readonly (readonly [string, string, string])[] = [
    ['PORT', '65536', 'PORT: expected a whole number from 0 to 65535, got "65536"'],
    ['PORT', '-1', 'expected a whole number'],
    ['PORT', '8e3', 'expected a whole number'],
    ['PORT', '', 'expected a whole number'],
    ['PORT', '9'.repeat(40), 'expected a whole number'],
    ['HOST', '', 'HOST: expected a host name or an IP address'],
    ['LOG_LEVEL', 'loud', 'LOG_LEVEL: expected one of trace, debug'],
    [
      'RUNWIRE_JWT_SECRET',
      's'.repeat(31),
      'RUNWIRE_JWT_SECRET: expected at least 32 characters, got 31 characters',
    ],
    [
      'RUNWIRE_METRICS_TOKEN',
      'short',
      'RUNWIRE_METRICS_TOKEN: expected at least 16 characters, got 5 characters',
    ],
    ['RUNWIRE_TRUST_PROXY', 'yes', 'RUNWIRE_TRUST_PROXY: expected true or false, got "yes"'],
    ['RUNWIRE_ALLOWED_ORIGINS', 'https://a.example/', 'expected origins such as https://chat.example.com'],
    ['RUNWIRE_ALLOWED_ORIGINS', '*', 'expected origins'],
    ['RUNWIRE_MAX_RUNS', '0', 'RUNWIRE_MAX_RUNS: expected a whole number above 0, got "0"'],
    ['RUNWIRE_MAX_RUNS', '1.5', 'RUNWIRE_MAX_RUNS: expected a whole number above 0'],
    ['RUNWIRE_LOG', 'disk', 'RUNWIRE_LOG: expected file or memory, got "disk"'],
    ['RUNWIRE_LOG_FSYNC', 'sometimes', 'RUNWIRE_LOG_FSYNC: expected never, interval or always'],
    ['RUNWIRE_LOG_MAX_BYTES', '16777215', 'RUNWIRE_LOG_MAX_BYTES: expected a whole number from 16777216'],
    ['RUNWIRE_MAX_RUN_ATTEMPTS', '0', 'RUNWIRE_MAX_RUN_ATTEMPTS: expected a whole number from 1 to 100'],
    ['RUNWIRE_MAX_RUN_ATTEMPTS', '101', 'RUNWIRE_MAX_RUN_ATTEMPTS: expected a whole number from 1 to 100'],
    ['RUNWIRE_MAX_RUNZ', '1', 'RUNWIRE_MAX_RUNZ is no variable of this server'],
    ['RUNWIRE_JWKS_URL', 'https://issuer.example', 'this version does not support it'],
    ['DATABASE_URL', 'postgres://db', 'DATABASE_URL is set, but this version does not support it'],
    ['REDIS_URL', 'redis://r', 'REDIS_URL is set, but this version does not support it'],
  ];
  for (const [name, value, expected] of refused) {
    it(`refuses ${name}=${JSON.stringify(value.slice(0, 40))}, naming it and what was expected`, () => {
      expect(refusal({ [name]: value })).toContain(expected);
    });
  }

  it('shows no secret in what it refuses', () => {
    const secret = 'too-short-but-secret';
    expect(refusal({ RUNWIRE_JWT_SECRET: secret, PORT: 'x' })).not.toContain(secret);
  });

  it('names every problem at once, a line each', () => {
    const lines = refusal({ PORT: 'x', LOG_LEVEL: 'y', RUNWIRE_MAX_RUNS: 'z', RUNWIRE_NOTHING: '1' }).split(
      '\n',
    );
    expect(lines.map((line) => String(line.split(/[: ]/)[0])).sort()).toEqual([
      'LOG_LEVEL',
      'PORT',
      'RUNWIRE_MAX_RUNS',
      'RUNWIRE_NOTHING',
    ]);
  });

  it('wants a secret of its own in production', () => {
    expect(refusal({ NODE_ENV: 'production' })).toContain('RUNWIRE_JWT_SECRET is missing');
    expect(refusal({ NODE_ENV: 'production', RUNWIRE_JWT_SECRET: 's'.repeat(32) })).toBe('accepted');
  });
});

describe('the limits', () => {
  it('have a variable each, which sets that one and no other', () => {
    // All at twice their default, where no invariant between them can break.
    for (const name of LIMIT_BY_VARIABLE.values()) {
      const fallback = LIMITS[name];
      expect(LIMIT_BY_VARIABLE.get(limitVariable(name))).toBe(name);
      const { limits } = parseEnvironment({ ...PAIRED, [limitVariable(name)]: String(fallback * 2) });
      expect(limits).toMatchObject({ [name]: fallback * 2 });
    }
  });

  it.each(['heartbeatJitter', 'reconnectMinDelayMs', 'maxQueuedPerThread'])(
    'have none that would change nothing: %s',
    (name) => {
      const variable = limitVariable(name);
      expect(refusal({ [variable]: '1' })).toContain(`${variable} is no variable of this server`);
    },
  );

  it('are named as the options are, in capitals', () => {
    expect(limitVariable('maxConnectionsPerUser')).toBe('RUNWIRE_MAX_CONNECTIONS_PER_USER');
    expect(limitVariable('runTimeoutMs')).toBe('RUNWIRE_RUN_TIMEOUT_MS');
  });

  const invariants: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
    [{ RUNWIRE_RUN_TIMEOUT_MS: '60000' }, 'accepted'],
    [
      { RUNWIRE_RUN_TIMEOUT_MS: '59999' },
      'RUNWIRE_RUN_TIMEOUT_MS must be at least RUNWIRE_RUN_IDLE_TIMEOUT_MS',
    ],
    [{ RUNWIRE_TOOL_TIMEOUT_MS: '59999' }, 'accepted'],
    [
      { RUNWIRE_TOOL_TIMEOUT_MS: '60000' },
      'RUNWIRE_RUN_IDLE_TIMEOUT_MS must be more than RUNWIRE_TOOL_TIMEOUT_MS',
    ],
    [{ RUNWIRE_SILENCE_TIMEOUT_MS: '1400', RUNWIRE_HEARTBEAT_INTERVAL_MS: '1000' }, 'accepted'],
    [
      { RUNWIRE_SILENCE_TIMEOUT_MS: '1399', RUNWIRE_HEARTBEAT_INTERVAL_MS: '1000' },
      'RUNWIRE_SILENCE_TIMEOUT_MS must be at least 1.4',
    ],
    [{ RUNWIRE_DRAIN_WINDOW_MS: '9', RUNWIRE_SHUTDOWN_TIMEOUT_MS: '10' }, 'accepted'],
    [
      { RUNWIRE_DRAIN_WINDOW_MS: '10', RUNWIRE_SHUTDOWN_TIMEOUT_MS: '10' },
      'RUNWIRE_DRAIN_WINDOW_MS must be less than RUNWIRE_SHUTDOWN_TIMEOUT_MS',
    ],
    [{ RUNWIRE_MAX_MESSAGE_BYTES: '261120' }, 'accepted'],
    [
      { RUNWIRE_MAX_MESSAGE_BYTES: '261121' },
      'RUNWIRE_MAX_EVENT_BYTES must be at least RUNWIRE_MAX_MESSAGE_BYTES + 1024',
    ],
    [{ RUNWIRE_MAX_DELTA_TEXT_BYTES: '43520' }, 'accepted'],
    [
      { RUNWIRE_MAX_DELTA_TEXT_BYTES: '43521' },
      'RUNWIRE_MAX_EVENT_BYTES must be at least 6 × RUNWIRE_MAX_DELTA_TEXT_BYTES + 1024',
    ],
  ];
  for (const [env, expected] of invariants) {
    const title = Object.entries(env)
      .map((entry) => entry.join('='))
      .join(' ');
    it(`hold between themselves: ${title} is ${expected === 'accepted' ? 'accepted' : 'refused'}`, () => {
      expect(refusal(env)).toContain(expected);
    });
  }
});

/** Limits that others are bound to, far enough from them to let each be doubled alone. */
const PAIRED = {
  RUNWIRE_RUN_TIMEOUT_MS: '1200000',
  RUNWIRE_RUN_IDLE_TIMEOUT_MS: '120000',
  RUNWIRE_SILENCE_TIMEOUT_MS: '90000',
  RUNWIRE_SHUTDOWN_TIMEOUT_MS: '90000',
  RUNWIRE_MAX_EVENT_BYTES: '1048576',
};

describe('the description of the variables', () => {
  it('has every variable that is understood, with a default that is accepted', () => {
    const described = describeVariables();
    const names = described.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const variable of LIMIT_BY_VARIABLE.keys()) expect(names).toContain(variable);
    for (const name of [
      'PORT',
      'HOST',
      'LOG_LEVEL',
      'RUNWIRE_DATA_DIR',
      'RUNWIRE_JWT_SECRET',
      'RUNWIRE_TRUST_PROXY',
    ])
      expect(names).toContain(name);
    const whole = described.filter(({ fallback }) => fallback !== '' && !fallback.includes('.'));
    expect(refusal(Object.fromEntries(whole.map(({ name, fallback }) => [name, fallback])))).toBe('accepted');
  });
});
