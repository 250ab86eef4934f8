import { io, type Socket } from 'socket.io-client';
import type { ClientContestant } from '../contract.js';
import type { ServerEvents } from './server.js';

/** The client of Socket.IO itself; the harness says when it comes back, not a timer. */
export const client: ClientContestant = {
  async connect({ port, token, receive }) {
    const socket: Socket<ServerEvents> = io(`http://127.0.0.1:${port}`, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      auth: { token },
    });
    let protocolFaults = 0;
    socket.on('event', (event) => receive(event.data.text));
    await connected(socket);
    return {
      get protocolFaults() {
        return protocolFaults;
      },
      cut: () => void socket.io.engine.close(),
      async resume() {
        socket.connect();
        await connected(socket);
        if (!socket.recovered) protocolFaults += 1;
      },
      close: () => void socket.close(),
    };
  },
};

function connected(socket: Socket<ServerEvents>): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      socket.off('connect', settle);
      socket.off('connect_error', settle);
      if (error === undefined) resolve();
      else reject(error);
    };
    socket.on('connect', settle);
    socket.on('connect_error', settle);
  });
}
