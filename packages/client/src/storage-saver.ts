import type { Clock, TimerHandle } from '@runwire/kernel';
import type { Cursor } from '@runwire/protocol/wire';
import type { ClientStorage } from './ports.js';

/** Saves the cursor with the state it belongs to, at most once in an interval. */
export interface StorageSaver {
  schedule(): void;
  /** Saves what is due now. */
  flush(): void;
  /** Forgets what is due: the state does not belong to the cursor any more. */
  discard(): void;
}

/** What the saver needs of its client. */
export interface StorageSaverDeps {
  readonly clock: Clock;
  readonly storage?: ClientStorage;
  readonly cursor: () => Cursor | undefined;
  readonly failed: (cause: unknown) => void;
}

const SAVE_INTERVAL_MS = 250;

/** Creates the saver; without a storage it does nothing. */
export function createStorageSaver({ clock, storage, cursor, failed }: StorageSaverDeps): StorageSaver {
  let timer: TimerHandle | undefined;

  const discard = (): void => {
    timer?.cancel();
    timer = undefined;
  };

  const save = (): void => {
    discard();
    const at = cursor();
    if (storage === undefined || at === undefined) return;
    try {
      storage.save({ cursor: at, state: storage.state() });
    } catch (cause) {
      failed(cause);
    }
  };

  return {
    schedule() {
      if (storage !== undefined) timer ??= clock.setTimer(SAVE_INTERVAL_MS, save);
    },
    flush() {
      if (timer !== undefined) save();
    },
    discard,
  };
}
