import type { Clock, TimerHandle } from '@runwire/kernel';
import type { RunwireEvent } from '@runwire/protocol/wire';
import type { ClientOptions, HandlerErrorPolicy, HandlerFailure } from './contract.js';

/** Decides what becomes of an event whose handler threw. */
export interface HandlerPolicy {
  /** True: the handler goes without it. False: it stands until `retry` is called, or the client stopped. */
  skips(event: RunwireEvent, cause: unknown): boolean;
  /** The event was handed to everybody, or is void: no retry comes, and the next failure is a first one. */
  settled(): void;
}

/** What the policy needs of its client. */
export interface HandlerPolicyDeps {
  readonly clock: Clock;
  readonly onHandlerError: NonNullable<ClientOptions['onHandlerError']>;
  readonly retry: () => void;
  readonly stop: (cause: unknown) => void;
}

const MAX_RETRIES = 3;
const FIRST_RETRY_MS = 500;

/** Creates the policy of one client. */
export function createHandlerPolicy({
  clock,
  onHandlerError,
  retry,
  stop,
}: HandlerPolicyDeps): HandlerPolicy {
  let attempt = 0;
  let timer: TimerHandle | undefined;

  const decide = (failure: HandlerFailure): HandlerErrorPolicy => {
    try {
      return typeof onHandlerError === 'string' ? onHandlerError : onHandlerError(failure);
    } catch {
      // It decided nothing, and nothing may be lost without a decision.
      return 'stop';
    }
  };

  return {
    skips(event, cause) {
      attempt += 1;
      const policy = decide({ event, cause, attempt });
      if (policy === 'skip') return true;
      if (policy === 'retry' && attempt <= MAX_RETRIES) {
        timer = clock.setTimer(FIRST_RETRY_MS * 2 ** (attempt - 1), retry);
      } else {
        attempt = 0;
        stop(cause);
      }
      return false;
    },
    settled() {
      attempt = 0;
      timer?.cancel();
    },
  };
}
