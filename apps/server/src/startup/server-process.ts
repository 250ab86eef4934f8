import type { Clock, Logger } from '@runwire/kernel';
import type { ReadinessReport } from '../http/routes/health.js';
import { runShutdown, type ShutdownStep } from '../shutdown.js';
import type { Startup, StartupReport } from './phases.js';
import type { Router } from './router.js';

/** Counts of everything that can leak. */
export type ServerStats = ReturnType<Router['stats']>;

/** A server that is ready. */
export interface RunningServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** What runs: everything is zero when nobody is connected and nothing runs. */
  stats(): ServerStats;
  startup(): StartupReport;
  /** Stops in order, within the shutdown time; settles to whether every step was done. Idempotent. */
  close(): Promise<boolean>;
}

/** The life of one server: whether it is ready, and the ordered steps of its end. */
export class ServerProcess {
  readonly startup: Startup;
  readonly #deps: { readonly clock: Clock; readonly logger: Logger };
  readonly #timeoutMs: number;
  readonly #steps: ShutdownStep[] = [];
  /** What the server depends on, each telling its trouble. */
  readonly #dependencies = new Map<string, () => string | undefined>();
  #isReady = false;
  #closing: Promise<boolean> | undefined;

  constructor(
    deps: { readonly clock: Clock; readonly logger: Logger },
    startup: Startup,
    shutdownTimeoutMs: number,
  ) {
    this.#deps = deps;
    this.startup = startup;
    this.#timeoutMs = shutdownTimeoutMs;
  }

  /** Adds a step of the shutdown: the last added runs first. */
  onClose(name: string, run: ShutdownStep['run']): void {
    this.#steps.unshift({ name, run });
  }

  /** Adds something that can get into trouble while the server is ready; `trouble` says what it is, if any. */
  dependsOn(name: string, trouble: () => string | undefined): void {
    this.#dependencies.set(name, trouble);
  }

  becomeReady(): void {
    this.#isReady = true;
  }

  readiness(): ReadinessReport {
    if (this.#closing !== undefined) return { ready: false, missing: ['stopping'] };
    if (this.#isReady) return { ready: true };
    return { ready: false, missing: [this.startup.report().waitingFor ?? 'ready'] };
  }

  /** {@link readiness}, with the dependencies that are in trouble. */
  health(): ReadinessReport {
    const report = this.readiness();
    if (!report.ready) return report;
    const degraded = [...this.#dependencies].flatMap(([name, trouble]) => {
      const what = trouble();
      return what === undefined ? [] : [`${name}: ${what}`];
    });
    return degraded.length === 0 ? report : { ready: true, degraded };
  }

  close(): Promise<boolean> {
    this.#closing ??= runShutdown(this.#steps, this.#deps, this.#timeoutMs);
    return this.#closing;
  }

  running(server: Pick<RunningServer, 'url' | 'port' | 'stats'>): RunningServer {
    return {
      ...server,
      startup: () => this.startup.report(),
      close: () => this.close(),
      [Symbol.asyncDispose]: async () => {
        await this.close();
      },
    };
  }
}
