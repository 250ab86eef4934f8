import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';

/** What a server says on a stream. */
export interface Said {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A listening ear on a stream: it posts nothing. */
export interface Stream extends Disposable {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly said: readonly Said[];
  /** The `id` of the last event that had one. */
  readonly lastEventId: string | undefined;
  /** Settles with the first message that fits, past ones included. */
  hear(fits: (message: Said) => boolean): Promise<Said>;
  /** Settles with the code of the last event, 1006 without one. */
  readonly closed: Promise<number>;
}

/** Asks for a stream and collects what comes: enough for tests of one package. */
export function openStream(
  port: number,
  headers: Readonly<Record<string, string>>,
  { method = 'GET', query = '?seq=0' }: { readonly method?: string; readonly query?: string } = {},
): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, method, path: `/api/stream${query}`, headers, agent: false });
    sent.on('error', reject);
    sent.on('response', (answer) => resolve(listenTo(answer)));
    sent.end();
  });
}

function listenTo(answer: IncomingMessage): Stream {
  const said: Said[] = [];
  const waiting = new Set<() => void>();
  let rest = '';
  let lastEventId: string | undefined;
  let code = 1006;
  const take = (block: string): void => {
    const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line]));
    const data = fields.get('data')?.slice('data: '.length);
    if (data === undefined) return;
    const value: unknown = JSON.parse(data);
    if (fields.get('event') === 'event: close') code = (value as { readonly code: number }).code;
    else said.push(...((Array.isArray(value) ? value : [value]) as Said[]));
    lastEventId = fields.get('id')?.slice('id: '.length) ?? lastEventId;
  };
  answer.setEncoding('utf8');
  answer.on('error', () => undefined);
  answer.on('data', (text: string) => {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) take(block);
    for (const check of waiting) check();
  });
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    said,
    get lastEventId() {
      return lastEventId;
    },
    closed: new Promise((resolve) => answer.once('close', () => resolve(code))),
    hear: (fits) =>
      new Promise((resolve) => {
        const check = (): void => {
          const found = said.find(fits);
          if (found === undefined) return;
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        check();
      }),
    [Symbol.dispose]: () => void answer.destroy(),
  };
}
