import { describe, expect, it } from '@jest/globals';
import {
  BEARER_PREFIX,
  CLOSE_CODES,
  closeAction,
  closeReasonRetryAfterMs,
  contentParts,
  contentText,
  ERROR_CODES,
  EVENT_CLASS,
  EVENT_SCHEMAS,
  encodeCloseReason,
  isBlankContent,
  LIMITS,
  PROTOCOL_ERROR_CODES,
  SUBPROTOCOL,
  TERMINAL_EVENT_TYPE,
} from '../src/index.js';

describe('close codes', () => {
  it('are exactly these', () => {
    expect(Object.values(CLOSE_CODES).map(({ code, name, client }) => `${code} ${name} ${client}`)).toEqual([
      '1000 NORMAL stop',
      '1001 GOING_AWAY resume-jitter',
      '1002 WEBSOCKET_ERROR stop-and-report',
      '1003 BINARY_FRAME stop-and-report',
      '1006 ABNORMAL resume',
      '1007 INVALID_UTF8 stop-and-report',
      '1009 FRAME_TOO_LARGE stop-and-report',
      '1011 UNEXPECTED resume',
      '1012 RESTART resume-jitter',
      '4400 PROTOCOL_ERROR stop-and-report',
      '4401 UNAUTHENTICATED refresh-then-resume',
      '4403 FORBIDDEN stop',
      '4408 AUTHENTICATION_TIMEOUT resume',
      '4409 CONNECTION_LIMIT stop-until-user',
      '4429 FLOOD resume-after-delay',
      '4500 SERVER_ERROR resume',
      '4503 OVERLOADED resume-after-delay',
      '4508 SLOW_CONSUMER resume',
    ]);
  });

  it('tell the client what to do; an unknown one means resume', () => {
    for (const [code, row] of Object.entries(CLOSE_CODES)) {
      expect(row.code).toBe(Number(code));
      expect(closeAction(row.code)).toBe(row.client);
    }
    for (const code of [0, 1005, 1015, 3000, 4999, Number.NaN]) expect(closeAction(code)).toBe('resume');
  });

  it('and the error codes and classes of events cannot be changed', () => {
    for (const table of [CLOSE_CODES, ERROR_CODES]) {
      expect([table, ...Object.values(table)].every((part) => Object.isFrozen(part))).toBe(true);
    }
    expect(Object.isFrozen(EVENT_CLASS)).toBe(true);
  });
});

describe('close reasons', () => {
  it.each([
    [1200, '{"retryAfterMs":1200}'],
    [0, '{"retryAfterMs":0}'],
    [0.2, '{"retryAfterMs":1}'],
    [-5, '{"retryAfterMs":0}'],
  ])('a delay of %d is sent as %s', (delayMs, reason) => {
    expect(encodeCloseReason({ retryAfterMs: delayMs })).toBe(reason);
    expect(closeReasonRetryAfterMs(reason)).toBe(Math.max(0, Math.ceil(delayMs)));
  });

  it.each([
    '',
    '{}',
    'later',
    '{"retryAfterMs":-1}',
    '{"retryAfterMs":"9"}',
    '{"retryAfterMs":1.5}',
    'null',
    '[5]',
    '{"retryAfterMs":',
  ])('the reason %j names no delay, which means 5,000', (reason) => {
    expect(closeReasonRetryAfterMs(reason)).toBe(5_000);
  });
});

describe('error codes', () => {
  it('are exactly these', () => {
    expect(Object.keys(ERROR_CODES).join(' ')).toBe(
      'INVALID_JSON INVALID_MESSAGE UNKNOWN_MESSAGE_TYPE EMPTY_MESSAGE MESSAGE_TOO_LARGE RATE_LIMITED ' +
        'UNAUTHENTICATED TOKEN_EXPIRED TOKEN_INVALID FORBIDDEN NOT_READY THREAD_NOT_FOUND RUN_NOT_FOUND ' +
        'AGENT_NOT_FOUND THREAD_BUSY RUN_LIMIT RUN_SUPERSEDED APPROVAL_NOT_PENDING AGENT_FAILED ' +
        'AGENT_TIMEOUT TOOL_FAILED TOOL_TIMEOUT RUN_INTERRUPTED COMMAND_PENDING COMMAND_ID_REUSED ' +
        'EMAIL_TAKEN INVALID_CREDENTIALS TOO_MANY_ATTEMPTS REFRESH_SUPERSEDED NOT_FOUND INTERNAL',
    );
  });

  it('are retryable exactly where trying again can help', () => {
    const retryable = Object.entries(ERROR_CODES).filter(([, row]) => row.retryable);
    expect(retryable.map(([code]) => code).join(' ')).toBe(
      'RATE_LIMITED NOT_READY THREAD_BUSY RUN_LIMIT COMMAND_PENDING TOO_MANY_ATTEMPTS INTERNAL',
    );
  });

  it('of this package are exactly these', () => {
    expect(PROTOCOL_ERROR_CODES.join(' ')).toBe(
      'INVALID_FRAME MISSING_FIELD NOT_ENCODABLE UNKNOWN_CODE UNKNOWN_TYPE',
    );
  });
});

describe('events', () => {
  it('each type has its class', () => {
    expect(Object.keys(EVENT_CLASS)).toEqual(Object.keys(EVENT_SCHEMAS));
    const thinned = Object.entries(EVENT_CLASS).filter(([, value]) => value !== 'durable');
    expect(thinned).toEqual([
      ['agent_delta', 'delta'],
      ['tool_progress', 'ephemeral'],
    ]);
    expect(TERMINAL_EVENT_TYPE).toBe('agent_completed');
  });
});

describe('names on the wire', () => {
  it('are these', () => {
    expect([SUBPROTOCOL, BEARER_PREFIX]).toEqual(['runwire.v1', 'bearer.']);
  });
});

describe('content', () => {
  it('in its normal form is a list of parts', () => {
    const parts = [{ type: 'text', text: 'a' }] as const;
    expect(contentParts('a')).toEqual(parts);
    expect(contentParts(parts)).toBe(parts);
  });

  it('as text joins its parts by a line break', () => {
    const part = (text: string) => ({ type: 'text', text }) as const;
    expect(contentText('a')).toBe('a');
    expect(contentText([part('a'), part('b')])).toBe('a\nb');
    expect(contentText([])).toBe('');
  });

  it('is blank without any visible text', () => {
    for (const text of ['', ' ', '\n\t', '\u00a0\ufeff']) {
      expect(isBlankContent(text)).toBe(true);
      expect(isBlankContent([{ type: 'text', text }])).toBe(true);
    }
    expect(isBlankContent([])).toBe(true);
    expect(isBlankContent('0')).toBe(false);
    expect(
      isBlankContent([
        { type: 'text', text: ' ' },
        { type: 'text', text: 'x' },
      ]),
    ).toBe(false);
  });
});

describe('limits', () => {
  it('have these defaults', () => {
    expect(LIMITS).toEqual({
      authenticationTimeoutMs: 5_000,
      maxFramesBeforeAuthentication: 1,
      maxBytesBeforeAuthentication: 8_192,
      maxHeldFrames: 16,
      maxHeldBytes: 65_536,
      maxMessageBytes: 65_536,
      maxTransportFrameBytes: 1_048_576,
      maxJsonDepth: 32,
      maxFragmentsPerMessage: 128,
      maxCommandsPerMinute: 60,
      maxRateLimitedPerMinute: 100,
      maxAcksAndPingsPerSecond: 100,
      maxAcksAndPingsPerTenSeconds: 1_000,
      maxBadMessagesPerMinute: 20,
      maxResyncsPerMinute: 6,
      maxConnectionsPerUser: 10,
      maxConnectionsPerIp: 50,
      maxConnections: 10_000,
      maxUpgradesPerIpPerSecond: 20,
      maxRunsPerUser: 3,
      maxRuns: 200,
      maxQueuedPerThread: 10,
      maxEventBytes: 262_144,
      maxDeltaTextBytes: 16_384,
      maxPageEvents: 1_024,
      maxPageBytes: 262_144,
      maxFrameBytes: 16_384,
      maxClientFrameBytes: 307_200,
      maxUnackedBytes: 262_144,
      socketBufferLowBytes: 65_536,
      socketBufferHighBytes: 262_144,
      maxLoggedBytesPerSecond: 8_388_608,
      retentionMs: 604_800_000,
      retentionEvents: 1_000_000,
      retentionBytes: 268_435_456,
      runTimeoutMs: 600_000,
      runIdleTimeoutMs: 60_000,
      toolTimeoutMs: 30_000,
      approvalTimeoutMs: 600_000,
      stopTimeoutMs: 1_000,
      heartbeatIntervalMs: 20_000,
      heartbeatJitter: 0.1,
      silenceTimeoutMs: 30_000,
      silenceExtraMsPerKib: 1_000,
      drainWindowMs: 5_000,
      shutdownTimeoutMs: 30_000,
      closeTimeoutMs: 1_000,
      ackEveryBytes: 65_536,
      ackDelayMs: 250,
      resyncTimeoutMs: 10_000,
      maxHeldThreadEvents: 10_000,
      reconnectMinDelayMs: 500,
      reconnectMaxDelayMs: 20_000,
      reconnectWindowMs: 5_000,
      reconnectStableMs: 30_000,
      defaultRetryAfterMs: 5_000,
      commandRetentionMs: 86_400_000,
      commandWaitMs: 10_000,
      authExpiringMinLeadMs: 60_000,
      authExpiringLeadRatio: 0.2,
      tokenGraceMs: 25_000,
      rollupWindowMs: 40,
    });
    expect(Object.isFrozen(LIMITS)).toBe(true);
  });

  it('keep the relations that the design needs', () => {
    expect(LIMITS.runTimeoutMs).toBeGreaterThanOrEqual(LIMITS.runIdleTimeoutMs);
    expect(LIMITS.runIdleTimeoutMs).toBeGreaterThan(LIMITS.toolTimeoutMs);
    expect(LIMITS.silenceTimeoutMs).toBeGreaterThanOrEqual(1.4 * LIMITS.heartbeatIntervalMs);
    expect(LIMITS.drainWindowMs).toBeLessThan(LIMITS.shutdownTimeoutMs);
  });
});
