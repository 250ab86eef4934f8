import { AsyncLocalStorage, createHook } from 'node:async_hooks';

/** What may not be asked for while a seed runs: time, chance and I/O come from the scheduler alone. */
const FORBIDDEN: readonly (readonly [object, string])[] = [
  [globalThis, 'setTimeout'],
  [globalThis, 'setInterval'],
  [globalThis, 'setImmediate'],
  [globalThis, 'fetch'],
  [globalThis, 'WebSocket'],
  [Date, 'now'],
  [performance, 'now'],
  [Math, 'random'],
  [crypto, 'getRandomValues'],
  [crypto, 'randomUUID'],
];

/** What keeps a host's loop alive, as Node's hooks name it: timers, files, sockets, names. */
const RESOURCES: ReadonlySet<string> = new Set([
  'Timeout',
  'FSREQCALLBACK',
  'FSREQPROMISE',
  'FILEHANDLECLOSEREQ',
  'TCPWRAP',
  'TCPSERVERWRAP',
  'TCPCONNECTWRAP',
  'PIPEWRAP',
  'PIPESERVERWRAP',
  'PIPECONNECTWRAP',
  'UDPWRAP',
  'TLSWRAP',
  'GETADDRINFOREQWRAP',
  'GETNAMEINFOREQWRAP',
  'QUERYWRAP',
  'HTTPCLIENTREQUEST',
]);

/** Whose work is being done: a test runner in the same process has timers of its own. */
const flow = new AsyncLocalStorage<HostGuard>();

/** Forbids the host's own time, chance and I/O to whoever made it and all that comes of that, until `release`. */
export class HostGuard {
  readonly #violated: (what: string) => void;
  readonly #undo: readonly (() => void)[];
  #begun: string[] = [];

  /** `violated` is told of each use. */
  constructor(violated: (what: string) => void) {
    this.#violated = violated;
    flow.enterWith(this);
    const hook = createHook({
      init: (_id, type) => {
        if (RESOURCES.has(type) && flow.getStore() === this) this.#begun.push(type);
      },
    }).enable();
    const onRejection = (cause: unknown): void => violated(`an unhandled rejection: ${String(cause)}`);
    process.on('unhandledRejection', onRejection);
    const allow = FORBIDDEN.map(([owner, name]) => forbid(owner, name, violated));
    this.#undo = [
      ...allow,
      () => void process.off('unhandledRejection', onRejection),
      () => void hook.disable(),
    ];
  }

  /** Looks for what was begun with the host since it last looked. */
  check(): void {
    if (this.#begun.length === 0) return;
    const begun = this.#begun;
    this.#begun = [];
    this.#violated(`the host was given something to do: ${begun.join(', ')}`);
  }

  release(): void {
    for (const step of this.#undo) step();
  }
}

function forbid(owner: object, name: string, violated: (what: string) => void): () => void {
  const before = Object.getOwnPropertyDescriptor(owner, name);
  if (before === undefined && !(name in owner)) return () => undefined;
  Object.defineProperty(owner, name, {
    configurable: true,
    writable: true,
    value: () => {
      violated(`${name} of the host was used`);
      throw new Error(`${name} may not be used while a seed runs.`);
    },
  });
  return () => {
    if (before === undefined) Reflect.deleteProperty(owner, name);
    else Object.defineProperty(owner, name, before);
  };
}
