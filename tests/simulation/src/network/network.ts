import type { WebSocketConstructor, WebSocketLike } from '@runwire/client';
import type { UpgradeAnswer } from '@runwire/websocket-core';
import type { MemoryUpgrade, Socket } from '@runwire/websocket-core/testing';
import type { Prng } from '../prng.js';
import type { Actor, Scheduler } from '../scheduler.js';
import { ClientEnd } from './client-end.js';
import { type ClientSide, Connection, type MakeEnds } from './connection.js';
import type { Device } from './device.js';
import { ServerEnd } from './server-end.js';
import { StreamClientEnd } from './stream-client-end.js';
import { StreamServerEnd } from './stream-server-end.js';

/** A server process that listens. */
export interface Listener {
  readonly actor: Actor;
  /** Serves the upgrade on this socket; what it answers when it refuses. */
  accept(socket: Socket, upgrade: MemoryUpgrade): UpgradeAnswer | undefined;
}

/** What a network is made of. */
export interface NetworkDeps {
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly kernel: Actor;
  /** Who listens at the service's address now: one of them is chosen for each connection. */
  readonly listeners: () => readonly Listener[];
  readonly serverSent: (connection: Connection, frames: readonly Uint8Array[]) => void;
}

/** A page on its device. */
export interface Caller {
  readonly device: Device;
  readonly page: Actor;
}

/** Everything between pages and servers. */
export class Network {
  readonly #deps: NetworkDeps;
  readonly #devices = new Set<Device>();
  #connections = 0;

  constructor(deps: NetworkDeps) {
    this.#deps = deps;
  }

  get devices(): ReadonlySet<Device> {
    return this.#devices;
  }

  add(device: Device): void {
    this.#devices.add(device);
  }

  /** What a page connects with. */
  webSocketOf(caller: Caller): WebSocketConstructor {
    const { isPage } = caller.device.options;
    const dial = (url: string, protocols: string[]): ClientEnd => {
      const headers = { 'sec-websocket-protocol': protocols.join(', ') };
      return this.#dial(caller, { url, headers }, webSocketEnds).client;
    };
    // A constructor that returns an object makes `new` return that.
    function SimulatedWebSocket(url: string, protocols: string[]): WebSocketLike {
      const end = dial(url, protocols);
      return isPage ? end : Object.assign(end, { terminate: () => end.drop() });
    }
    return SimulatedWebSocket as unknown as WebSocketConstructor;
  }

  /** Fetches a stream of server-sent events. Rejects as `fetch` does. */
  async stream(
    caller: Caller,
    request: { readonly url: string; readonly authorization: string; readonly signal: AbortSignal },
  ): Promise<Response> {
    const { authorization, signal, url } = request;
    const upgrade = { url, headers: { authorization }, transport: 'stream' } as const;
    return await this.#dial(caller, upgrade, streamEnds).client.fetched(signal);
  }

  /** The process is gone, and with it its ends of everything. */
  nodeDied(node: Actor, how: 'fin' | 'rst' | 'silent'): void {
    for (const connection of this.#all()) if (connection.node === node) connection.nodeDied(how);
  }

  /** The page is gone. */
  pageDied(device: Device, how: 'goodbye' | 'fin' | 'rst' | 'silent'): void {
    for (const connection of device.connections) connection.pageDied(how);
  }

  /** From now on everything arrives. */
  heal(): void {
    for (const device of this.#devices) {
      device.reach = 'up';
      this.setReading(device, true);
    }
    for (const connection of this.#all()) connection.heal();
  }

  setReading(device: Device, isReading: boolean): void {
    device.isReading = isReading;
    for (const connection of device.connections) connection.setReading(isReading);
  }

  #dial<C extends ClientSide>(
    { device, page }: Caller,
    upgrade: MemoryUpgrade & { readonly url: string },
    makeEnds: MakeEnds<C>,
  ): Connection<C> {
    const { scheduler, prng, kernel, serverSent } = this.#deps;
    const { conditions, options } = device;
    this.#connections += 1;
    this.#forget(device);
    const ways = {
      scheduler,
      prng,
      kernel,
      conditions,
      client: page,
      isOneByOne: options.isPage,
      serverSent,
    };
    const connection = new Connection(this.#connections, ways, makeEnds);
    device.connections.add(connection);
    const { pathname, search } = new URL(upgrade.url);
    const request = { ...upgrade, url: pathname + search, remoteAddress: options.remoteAddress };
    const roundTripMs = 2 * conditions.latencyMs + prng.next() * conditions.jitterMs;
    scheduler.schedule(kernel, roundTripMs, 'net dial', () => this.#arrive(device, connection, request));
    return connection;
  }

  /** The handshake is at the server's machine. */
  #arrive(device: Device, connection: Connection, request: MemoryUpgrade): void {
    const { prng, scheduler } = this.#deps;
    const fate = request.transport === 'stream' ? 'pass' : device.options.webSockets;
    // Gone, or given up, meanwhile.
    if (device.reach === 'away' || fate === 'hang' || !connection.client.isWaiting) return;
    const listeners = device.reach === 'up' && fate === 'pass' ? this.#deps.listeners() : [];
    if (listeners.length === 0) {
      connection.refuse();
      return;
    }
    const listener = prng.pick(listeners);
    scheduler.schedule(listener.actor, 0, 'net accept', () => {
      if (!connection.client.isWaiting) return;
      connection.accept(listener.actor);
      connection.setReading(device.isReading);
      const answer = listener.accept(connection.server, request);
      if (answer !== undefined) connection.refuse(answer);
    });
  }

  /** Connections that are over are of no interest. */
  #forget(device: Device): void {
    for (const connection of device.connections) if (connection.isOver) device.connections.delete(connection);
  }

  #all(): readonly Connection[] {
    return [...this.#devices].flatMap((device) => [...device.connections]);
  }
}

const webSocketEnds: MakeEnds<ClientEnd> = (wires, sent) => ({
  client: new ClientEnd(wires.client),
  server: new ServerEnd(wires.server, sent),
});

const streamEnds: MakeEnds<StreamClientEnd> = (wires, sent) => ({
  client: new StreamClientEnd(wires.client),
  server: new StreamServerEnd(wires.server, sent),
});
