/** After so long without an event, what has not come is taken for lost. */
const QUIET_MS = 4_000;
const LOOK_INTERVAL_MS = 100;

/** Notices that a count has stopped growing. */
export class QuietWatch {
  /** Settles when the count has not changed for four seconds. */
  readonly quiet: Promise<void>;
  readonly #timer: NodeJS.Timeout;

  constructor(count: () => number) {
    let seen = count();
    let sinceMs = performance.now();
    let settle: () => void = () => undefined;
    this.quiet = new Promise((resolve) => {
      settle = resolve;
    });
    this.#timer = setInterval(() => {
      const now = count();
      if (now !== seen) {
        seen = now;
        sinceMs = performance.now();
      } else if (performance.now() - sinceMs > QUIET_MS) {
        settle();
      }
    }, LOOK_INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
