import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy between clients and a server, that a test turns into a bad network. */
export interface FaultProxy extends AsyncDisposable {
  readonly url: string;
  /** Resets every connection there is. */
  cut(): void;
  /** Cuts, and refuses new connections until `restore`. */
  takeDown(): void;
  /** Passes nothing on, in neither direction, and closes nothing: a black hole. */
  stall(): void;
  restore(): void;
}

/** Starts a proxy in front of a server. */
export async function startFaultProxy(serverUrl: string): Promise<FaultProxy> {
  const target = new URL(serverUrl);
  const pairs = new Set<readonly [Socket, Socket]>();
  let down = false;
  let stalled = false;
  const server = createServer((incoming) => {
    if (down) {
      incoming.resetAndDestroy();
      return;
    }
    const outgoing = connect(Number(target.port), target.hostname);
    const pair = [incoming, outgoing] as const;
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      incoming.destroy();
      outgoing.destroy();
    };
    for (const [from, to] of [pair, [outgoing, incoming] as const]) {
      from.on('data', (chunk) => {
        if (!stalled) to.write(chunk);
      });
      from.on('error', end);
      from.on('close', end);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const [incoming, outgoing] of pairs) {
      incoming.resetAndDestroy();
      outgoing.destroy();
    }
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    takeDown() {
      down = true;
      cut();
    },
    stall() {
      stalled = true;
    },
    restore() {
      down = false;
      stalled = false;
    },
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
