import { createIdGenerator, type IdGenerator, type UserId } from '@runwire/id-generation';
import { type Clock, CodedError } from '@runwire/kernel';
import {
  createManualClock,
  createRecordingLogger,
  type ManualClock,
  type RecordingLogger,
} from '@runwire/kernel/testing';
import type { ControlMessage, ControlMessageOf, ControlType, ServerMessage } from '@runwire/protocol';
import type {
  ClientConnection,
  Handshake,
  Principal,
  SocketServerDeps,
  SocketServerOptions,
} from '../../src/index.js';
import {
  createMemorySocketServer,
  type MemoryPeer,
  type MemorySocketServer,
} from '../../src/testing/index.js';

export const HOUR_MS = 3_600_000;

/** Ports of a socket server that a test can bend, with counts of what was taken and given back. */
export interface Ports {
  readonly clock: ManualClock;
  readonly logger: RecordingLogger;
  readonly ids: IdGenerator;
  readonly opened: ClientConnection[];
  readonly handshakes: Handshake[];
  readonly admitted: { readonly connection: ClientConnection; readonly replaces: string | undefined }[];
  readonly tokens: Map<string, Principal>;
  readonly places: { held: number };
  readonly signals: AbortSignal[];
  principal(userId?: UserId, lifetimeMs?: number): Principal;
  /** A valid token of a new or a given user. */
  token(userId?: UserId, lifetimeMs?: number): string;
}

/** `time` says when tokens are issued, for tests on the machine's clock. */
export function createPorts(time?: Pick<Clock, 'nowMs'>): Ports {
  const clock = createManualClock();
  const nowMs = (): number => (time ?? clock).nowMs();
  const ids = createIdGenerator({ clock });
  const tokens = new Map<string, Principal>();
  const principal = (userId = ids.userId(), lifetimeMs = HOUR_MS): Principal => ({
    userId,
    sessionId: `session-${tokens.size}`,
    issuedAtMs: nowMs(),
    expiresAtMs: nowMs() + lifetimeMs,
  });
  return {
    clock,
    logger: createRecordingLogger(),
    ids,
    opened: [],
    handshakes: [],
    admitted: [],
    tokens,
    places: { held: 0 },
    signals: [],
    principal,
    token(userId, lifetimeMs) {
      const token = `token.${tokens.size}`;
      tokens.set(token, principal(userId, lifetimeMs));
      return token;
    },
  };
}

const STREAM = { epoch: 'e1', first: 1, head: 7, headId: 'evt_7' } as const;

/** Establishes a connection as delivery would, at the head. */
export function establish(connection: ClientConnection): void {
  connection.establish({ stream: STREAM, resume: { mode: 'live', from: 8 } });
}

export function createDeps(ports: Ports, overrides: Partial<SocketServerDeps> = {}): SocketServerDeps {
  return {
    clock: ports.clock,
    logger: ports.logger,
    ids: ports.ids,
    readiness: () => ({ ready: true }),
    authenticate: async (token, { signal }) => {
      ports.signals.push(signal);
      const principal = ports.tokens.get(token);
      if (principal === undefined) throw new CodedError('TOKEN_INVALID', 'no such token');
      return principal;
    },
    admission: {
      reserve: () => {
        ports.places.held += 1;
        let held = true;
        return {
          kind: 'reserved',
          admit: (connection, { replaces }) => void ports.admitted.push({ connection, replaces }),
          release: () => {
            if (held) ports.places.held -= 1;
            held = false;
          },
        };
      },
    },
    open: async (connection, handshake) => {
      ports.opened.push(connection);
      ports.handshakes.push(handshake);
      establish(connection);
    },
    remoteAddressOf: (request) => request.socket.remoteAddress ?? 'unknown',
    ...overrides,
  };
}

export interface Fixture extends Ports {
  readonly server: MemorySocketServer;
  /** Connects with a token in the handshake, waits until established, and drops what was said so far. */
  ready(userId?: UserId): Promise<{ readonly peer: MemoryPeer; readonly connection: ClientConnection }>;
}

export function createFixture(
  overrides: Partial<SocketServerDeps> = {},
  options: SocketServerOptions = {},
): Fixture {
  const ports = createPorts();
  const server = createMemorySocketServer(createDeps(ports, overrides), { random: () => 0.5, ...options });
  return {
    ...ports,
    server,
    async ready(userId) {
      const peer = server.accept({ headers: { authorization: `Bearer ${ports.token(userId)}` } });
      await ports.clock.settle();
      const connection = ports.opened.at(-1);
      if (connection === undefined) throw new Error('not opened');
      return { peer, connection };
    },
  };
}

export function ofType<T extends ControlType>(
  messages: readonly ServerMessage[],
  type: T,
): readonly ControlMessageOf<T>[] {
  const isOfType = (message: ServerMessage): message is ControlMessageOf<T> & ControlMessage =>
    message.type === type;
  return messages.filter(isOfType);
}

/** The error codes answered so far. */
export function errorCodes(peer: MemoryPeer): readonly string[] {
  return peer.messages.flatMap((message) => {
    if (message.type === 'error') return [message.code];
    return message.type === 'command_rejected' ? [message.error.code] : [];
  });
}

/** Every count that must be zero when nobody is connected. */
export function liveCounts(fixture: Pick<Fixture, 'server' | 'places' | 'clock'>): readonly number[] {
  const { connections, handlers, timers } = fixture.server.stats();
  return [...Object.values(connections), handlers, timers, fixture.places.held, fixture.clock.pendingTimers];
}
