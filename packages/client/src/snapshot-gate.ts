import type { ResetReason } from '@runwire/protocol/wire';

/** Runs the application's `loadSnapshot` after resets, one at a time. */
export interface SnapshotGate {
  /** True from a reset until its snapshot is loaded: delivery pauses. */
  readonly closed: boolean;
  /** A reset came. One that comes during a load is loaded after it. */
  require(reason: ResetReason): void;
  /** A new connection: a load that failed is tried again. */
  retry(): void;
  /** Never opens again. */
  stop(): void;
}

/** What the gate needs of its client. */
export interface SnapshotGateDeps {
  readonly load: ((reason: ResetReason) => Promise<void>) | undefined;
  /** Everything required is loaded. */
  readonly opened: () => void;
  readonly failed: (cause: unknown) => void;
}

/** Creates an open gate. Without `load` it never closes. */
export function createSnapshotGate({ load, opened, failed }: SnapshotGateDeps): SnapshotGate {
  let required: { readonly reason: ResetReason } | undefined;
  let loading = false;
  let stopped = false;

  const run = async (): Promise<void> => {
    if (loading || load === undefined) return;
    loading = true;
    try {
      while (required !== undefined && !stopped) {
        const current: { readonly reason: ResetReason } = required;
        await load(current.reason);
        if (required === current) required = undefined;
      }
    } catch (cause) {
      if (!stopped) failed(cause);
      return;
    } finally {
      loading = false;
    }
    if (!stopped) opened();
  };

  return {
    get closed() {
      return required !== undefined;
    },
    require(reason) {
      if (load === undefined) return;
      required = { reason };
      void run();
    },
    retry() {
      if (required !== undefined) void run();
    },
    stop() {
      stopped = true;
    },
  };
}
