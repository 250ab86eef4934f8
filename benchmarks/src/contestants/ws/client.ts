import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { ClientContestant } from '../contract.js';
import { deltaText } from '../delta.js';

/** The client of `ws` itself. */
export const client: ClientContestant = {
  async connect({ port, token, receive }) {
    const webSocket = new WebSocket(`ws://127.0.0.1:${port}/`, {
      perMessageDeflate: false,
      headers: { authorization: `Bearer ${token}` },
    });
    webSocket.on('message', (data: Buffer) => receive(deltaText(data.toString())));
    await once(webSocket, 'open');
    // A close follows.
    webSocket.on('error', () => undefined);
    return {
      protocolFaults: 0,
      cut: () => webSocket.terminate(),
      resume: () => Promise.reject(new Error('Bare ws keeps nothing to resume from.')),
      close: () => webSocket.terminate(),
    };
  },
};
