import type { FastifyReply } from 'fastify';

/** Aborts when the client goes before it was answered. */
export function signalOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  const end = (): void => {
    if (!reply.raw.writableFinished) gone.abort(new Error('The client closed the connection.'));
  };
  // It may have gone while the request was being authenticated.
  if (reply.raw.destroyed) end();
  else reply.raw.once('close', end);
  return gone.signal;
}
