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

/** What keeps a host's loop alive, as Node names it: timers, files, sockets, names. */
const RESOURCE = /^(Timeout|FSReq|TCP|UDP|Pipe(Connect|Server)|TLS|GetAddrInfo|GetNameInfo|QueryReq|Http)/;

/** Forbids the host's own time, chance and I/O, from its creation to `release`. */
export class HostGuard {
  readonly #violated: (what: string) => void;
  readonly #undo: readonly (() => void)[];
  readonly #before: number;

  /** `violated` is told of each use. */
  constructor(violated: (what: string) => void) {
    this.#violated = violated;
    this.#before = countResources();
    const onRejection = (cause: unknown): void => violated(`an unhandled rejection: ${String(cause)}`);
    process.on('unhandledRejection', onRejection);
    const allow = FORBIDDEN.map(([owner, name]) => forbid(owner, name, violated));
    this.#undo = [...allow, () => void process.off('unhandledRejection', onRejection)];
  }

  /** Looks for what the host has under way that it had not when the guard came. */
  check(): void {
    if (countResources() <= this.#before) return;
    const resources = process.getActiveResourcesInfo().filter((type) => RESOURCE.test(type));
    this.#violated(`the host has something under way: ${resources.join(', ')}`);
  }

  release(): void {
    for (const step of this.#undo) step();
  }
}

function countResources(): number {
  let count = 0;
  for (const type of process.getActiveResourcesInfo()) if (RESOURCE.test(type)) count += 1;
  return count;
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
