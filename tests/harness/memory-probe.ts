import { WebSocket } from 'ws';
import { until, within } from './deadline.js';
import type { ServerProcess } from './server-process.js';

/** What a server that is to be probed is started with. */
export const PROBED: readonly string[] = ['--inspect=127.0.0.1:0'];

/** Looks into the memory of a server process from outside, by V8's own debugging protocol. */
export interface MemoryProbe extends Disposable {
  /** Collects garbage, then settles with the bytes in use: those of the heap, and what it holds outside (buffers). */
  usedBytes(): Promise<number>;
}

const ANSWER_DEADLINE_MS = 60_000;
/** Buffers are given back by finalizers, which a collection only makes due. */
const COLLECTIONS = 3;
const USED_BYTES = '(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())';

/** Opens the debugging port of a server that was started with {@link PROBED}. */
export async function probeMemory(server: Pick<ServerProcess, 'output'>): Promise<MemoryProbe> {
  let url: string | undefined;
  await until(ANSWER_DEADLINE_MS, 'the debugging port', () => {
    url = /Debugger listening on (ws:\S+)/.exec(server.output())?.[1];
    return url !== undefined;
  });
  const socket = new WebSocket(url ?? '', { perMessageDeflate: false });
  const answers = new Map<number, (answer: Answer) => void>();
  socket.on('message', (data: Buffer) => {
    const answer = JSON.parse(data.toString()) as Answer;
    answers.get(answer.id)?.(answer);
  });
  await within(ANSWER_DEADLINE_MS, 'the debugger', new Promise((resolve) => socket.once('open', resolve)));
  let asked = 0;
  const ask = async (method: string, params: object = {}): Promise<Answer> => {
    asked += 1;
    const id = asked;
    const answered = new Promise<Answer>((resolve) => answers.set(id, resolve));
    socket.send(JSON.stringify({ id, method, params }));
    const answer = await within(ANSWER_DEADLINE_MS, `the answer to ${method}`, answered);
    answers.delete(id);
    return answer;
  };
  return {
    async usedBytes() {
      for (let done = 0; done < COLLECTIONS; done += 1) await ask('HeapProfiler.collectGarbage');
      const { result } = await ask('Runtime.evaluate', { expression: USED_BYTES, returnByValue: true });
      const value = result?.result?.value;
      if (typeof value !== 'number') throw new Error(`The debugger answered ${JSON.stringify(result)}.`);
      return value;
    },
    [Symbol.dispose]: () => socket.terminate(),
  };
}

/** An answer of the debugging protocol. */
interface Answer {
  readonly id: number;
  readonly result?: { readonly result?: { readonly value?: unknown } };
}
