import { createDeferred, type Deferred } from '@runwire/kernel';

/** A caller that does not await must not take the process down; the next emit tells it again. */
export function quietDeferred(): Deferred<void> {
  const deferred = createDeferred();
  deferred.promise.catch(() => undefined);
  return deferred;
}

/** A rejection that nobody needs to handle. */
export function quietRejection(reason: unknown): Promise<never> {
  const promise = Promise.reject(reason);
  promise.catch(() => undefined);
  return promise;
}
