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
  let settle = (tell: () => void): void => {
    settle = () => undefined;
    timer.cancel();
    tell();
  };
  const timer = clock.setTimer(tokenTimeoutMs, () =>
    settle(() => failed(new Error(`getToken took longer than ${tokenTimeoutMs} ms.`), false)),
  );
  const run = async (): Promise<void> => {
    let tell: () => void;
    try {
      const token = await getToken(reason);
      tell = () => got(token);
    } catch (cause) {
      tell = () => failed(cause, isUnauthenticated(cause));
    }
    settle(tell);
  };
  void run();
  return { cancel: () => settle(() => undefined) };
}

function isUnauthenticated(cause: unknown): boolean {
  return (Object(cause) as { code?: unknown }).code === 'UNAUTHENTICATED';
}
