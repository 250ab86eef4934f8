/** What goes out by POST: in order, one at a time. */
export interface PostQueue {
  /** True when nothing waits and nothing is under way. */
  readonly idle: boolean;
  /** An ack takes the place of one that still waits. */
  push(text: string): void;
  /** From now on posts go out. */
  start(): void;
}

/** What the queue needs of its socket. */
export interface PostQueueDeps {
  /** Never rejects. */
  readonly post: (text: string) => Promise<void>;
  /** The last one was answered. */
  readonly drained: () => void;
}

const ACK = '{"type":"ack"';

/** Creates a queue, not started. It holds what a connection sends: acks count once, commands are bounded by the client. */
export function createPostQueue({ post, drained }: PostQueueDeps): PostQueue {
  let waiting: string[] = [];
  let started = false;
  let posting = false;

  const drain = async (): Promise<void> => {
    if (posting || !started) return;
    posting = true;
    for (let text = waiting.shift(); text !== undefined; text = waiting.shift()) await post(text);
    posting = false;
    drained();
  };

  return {
    get idle() {
      return waiting.length === 0 && !posting;
    },
    push(text) {
      if (text.startsWith(ACK)) waiting = waiting.filter((other) => !other.startsWith(ACK));
      waiting.push(text);
      void drain();
    },
    start() {
      started = true;
      void drain();
    },
  };
}
