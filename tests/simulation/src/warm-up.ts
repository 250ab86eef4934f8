import { createRunwireClient } from '@runwire/client';

let isWarm: Promise<void> | undefined;

/**
 * Loads what the client loads when it first needs it. From then on that takes no time of the host's, so that the first
 * seed to need it is like any other.
 */
export function warmUp(): Promise<void> {
  isWarm ??= new Promise<void>((resolve) => {
    // Keeps the process alive until then.
    const patience = setInterval(() => undefined, 1_000);
    const client = createRunwireClient({
      url: 'ws://service.test/ws',
      transport: 'sse',
      webSocket: NoWebSocket,
      getToken: async () => 'none',
      fetch: async () => {
        clearInterval(patience);
        await client.close();
        resolve();
        throw new TypeError('nobody answers');
      },
    });
    client.connect().catch(() => undefined);
  });
  return isWarm;
}

class NoWebSocket {
  readonly readyState = 3;
  send(): void {}
  close(): void {}
  addEventListener(): void {}
}
