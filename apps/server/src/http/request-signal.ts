import type { FastifyReply } from 'fastify';

/** Aborts when the client goes before it was answered. */
export function signalOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new Error('The client closed the connection.'));
  });
  return gone.signal;
}
