import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import type { ClientContestant } from '../contract.js';
import { deltaText } from '../delta.js';

/** A reader of server-sent events on `node:http`. */
export const client: ClientContestant = {
  async connect({ port, token, receive }) {
    let lastId = 0;
    let protocolFaults = 0;
    let buffer = '';
    const take = (chunk: string): void => {
      buffer += chunk;
      let start = 0;
      for (let end = buffer.indexOf('\n\n', start); end !== -1; end = buffer.indexOf('\n\n', start)) {
        const dataAt = buffer.indexOf('\n', start) + 1;
        const id = Number(buffer.slice(start + 'id: '.length, dataAt - 1));
        if (lastId !== 0 && id !== lastId + 1) protocolFaults += 1;
        lastId = id;
        receive(deltaText(buffer.slice(dataAt + 'data: '.length, end)));
        start = end + 2;
      }
      buffer = buffer.slice(start);
    };
    const open = async (resume: Record<string, string>): Promise<ClientRequest> => {
      buffer = '';
      const request = get({
        host: '127.0.0.1',
        port,
        path: '/events',
        agent: false,
        headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', ...resume },
      });
      const response = await responseOf(request);
      response.setEncoding('utf8');
      response.on('data', take);
      response.on('error', () => undefined);
      request.on('error', () => undefined);
      return request;
    };
    let request = await open({});
    return {
      get protocolFaults() {
        return protocolFaults;
      },
      cut: () => void request.destroy(),
      async resume() {
        request = await open({ 'last-event-id': String(lastId) });
      },
      close: () => void request.destroy(),
    };
  },
};

function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('error', reject);
    request.once('response', (response) => {
      if (response.statusCode === 200) resolve(response);
      else reject(new Error(`The stream was answered ${response.statusCode}.`));
    });
  });
}
