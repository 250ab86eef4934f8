import type { ClientContestant, ServerContestant } from './contract.js';
import type { Variant } from './runwire/server.js';

/** A contestant as the harness knows it: its halves are loaded in the processes that run them. */
export interface Contestant {
  /** As tables name it. */
  readonly title: string;
  readonly server: () => Promise<ServerContestant>;
  readonly client: () => Promise<ClientContestant>;
  /** Packages whose versions belong to its numbers. */
  readonly packages: readonly string[];
  /** It may put several events into one: then fewer arrive than were emitted, and nothing is lost. */
  readonly merges: boolean;
  /** For what is not installed with everything else: why it cannot take part, after trying to fetch it. */
  readonly missing?: () => Promise<string | undefined>;
}

const runwire = (variant: Variant, title: string): Contestant => ({
  title,
  server: async () => (await import('./runwire/server.js')).createRunwireServer(variant),
  client: async () => (await import('./runwire/client.js')).client,
  packages: ['ws'],
  merges: variant.parts === 'same',
});

const uws = (maxBackpressure: number | undefined, title: string): Contestant => ({
  title,
  server: async () => (await import('./uws/server.js')).createUwsServer({ maxBackpressure }),
  client: async () => (await import('./ws/client.js')).client,
  packages: ['@trufflesuite/uws-js-unofficial'],
  merges: false,
  missing: async () => (await import('./uws/peer.js')).missingUws(),
});

/** So that nothing is dropped where nobody stops reading. */
const LOSSLESS_BACKPRESSURE = 256 * 1_048_576;

/** Every contestant, by the name that `--contestants` takes. */
export const CONTESTANTS: Readonly<Record<string, Contestant>> = Object.freeze({
  ws: {
    title: 'bare `ws`',
    server: async () => (await import('./ws/server.js')).server,
    client: async () => (await import('./ws/client.js')).client,
    packages: ['ws'],
    merges: false,
  },
  'ws-ring': {
    title: '`ws` with a ring by hand',
    server: async () => (await import('./ws-ring/server.js')).server,
    client: async () => (await import('./ws-ring/client.js')).client,
    packages: ['ws'],
    merges: false,
  },
  'socket.io': {
    title: 'Socket.IO with recovery',
    server: async () => (await import('./socket-io/server.js')).server,
    client: async () => (await import('./socket-io/client.js')).client,
    packages: ['socket.io', 'socket.io-client', 'ws'],
    merges: false,
  },
  sse: {
    title: 'server-sent events',
    server: async () => (await import('./sse/server.js')).server,
    client: async () => (await import('./sse/client.js')).client,
    packages: [],
    merges: false,
  },
  uws: uws(LOSSLESS_BACKPRESSURE, 'uWebSockets.js'),
  'uws-default': uws(undefined, 'uWebSockets.js, its default limit'),
  runwire: runwire({ log: 'file', parts: 'distinct' }, '**Runwire**'),
  'runwire-memory': runwire({ log: 'memory', parts: 'distinct' }, '**Runwire**, log in memory'),
  'runwire-merging': runwire({ log: 'file', parts: 'same' }, '**Runwire**, events may be merged'),
  'runwire-server': {
    title: '**Runwire**, the reference server',
    server: async () => (await import('./runwire-server/server.js')).server,
    client: async () => (await import('./runwire/client.js')).client,
    packages: ['ws'],
    merges: false,
  },
});

/** @throws Error that lists the names there are */
export function contestantOf(name: string): Contestant {
  const contestant = CONTESTANTS[name];
  if (contestant !== undefined) return contestant;
  throw new Error(`There is no contestant "${name}": ${Object.keys(CONTESTANTS).join(', ')}.`);
}
