import type { Clock } from '@runwire/kernel';
import type { ClientOptions } from './contract.js';

/** A token being fetched. */
export interface TokenRequest {
  /** Nothing is told any more. */
  cancel(): void;
}

/** What becomes of a request: exactly one of them, once. */
export interface TokenHandlers {
  readonly got: (token: string) => void;
  /** `unauthenticated`: the application says that there is no use in trying again. */
  readonly failed: (cause: unknown, unauthenticated: boolean) => void;
}

/** What a request needs. */
export interface TokenDeps {
  readonly clock: Clock;
  readonly getToken: ClientOptions['getToken'];
  readonly tokenTimeoutMs: number;
}

/** Asks the application for a token. */
export function requestToken(
  { clock, getToken, tokenTimeoutMs }: TokenDeps,
  reason: 'connect' | 'refresh',
  { got, failed }: TokenHandlers,
): TokenRequest {
  let open = true;
  const end = (): boolean => {
    const wasOpen = open;
    open = false;
    timer.cancel();
    return wasOpen;
  };
  const timer = clock.setTimer(tokenTimeoutMs, () => {
    if (end()) failed(new Error(`getToken took longer than ${tokenTimeoutMs} ms.`), false);
  });
  const run = async (): Promise<void> => {
    let token: string;
    try {
      token = await getToken(reason);
    } catch (cause) {
      if (end()) failed(cause, isUnauthenticated(cause));
      return;
    }
    if (end()) got(token);
  };
  void run();
  return { cancel: () => void end() };
}

function isUnauthenticated(cause: unknown): boolean {
  return typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'UNAUTHENTICATED';
}
