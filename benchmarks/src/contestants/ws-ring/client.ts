import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { ClientContestant } from '../contract.js';
import type { DeltaEvent } from '../delta.js';

/** The client of `ws`, which remembers the number of its last event. */
export const client: ClientContestant = {
  async connect({ port, token, receive }) {
    let lastSeq = 0;
    let protocolFaults = 0;
    const open = async (query: string): Promise<WebSocket> => {
      const webSocket = new WebSocket(`ws://127.0.0.1:${port}/${query}`, {
        perMessageDeflate: false,
        headers: { authorization: `Bearer ${token}` },
      });
      webSocket.on('message', (data: Buffer) => {
        const event: DeltaEvent = JSON.parse(data.toString());
        if (lastSeq !== 0 && event.seq !== lastSeq + 1) protocolFaults += 1;
        lastSeq = event.seq;
        receive(event.data.text);
      });
      await once(webSocket, 'open');
      // A close follows.
      webSocket.on('error', () => undefined);
      return webSocket;
    };
    let socket = await open('');
    const cut = (): void => {
      socket.removeAllListeners('message');
      socket.terminate();
    };
    return {
      get protocolFaults() {
        return protocolFaults;
      },
      cut,
      async resume() {
        socket = await open(`?since=${lastSeq}`);
      },
      close: cut,
    };
  },
};
