import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import { createErrorBody } from '@runwire/protocol';
import { isDynamic, type RunwireHttpApp, sendProblem } from './app.js';

const NOT_BUILT = 'The page is not built: run "npm run build" in the repository, then start again.';

/** Serves the chat's files; every other address of the page leads to its entry. */
export async function addPage(app: RunwireHttpApp, directory: string): Promise<void> {
  if (!existsSync(join(directory, 'index.html'))) {
    app.get('/', { schema: { hide: true } }, (_request, reply) =>
      sendProblem(reply, { status: 404, body: createErrorBody('NOT_FOUND', { message: NOT_BUILT }) }),
    );
    return;
  }
  await app.register(fastifyStatic, {
    root: directory,
    wildcard: false,
    index: 'index.html',
    // Its own header would take the place of what is set here.
    cacheControl: false,
    // Built files carry a hash in their names; the entry must be asked for each time.
    setHeaders: (reply, path) => {
      const kept = path.includes(`${join(directory, 'assets')}`);
      reply.setHeader('cache-control', kept ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  app.get('/*', { schema: { hide: true } }, (request, reply) => {
    const page = !isDynamic(request.url) && (request.headers.accept ?? '').includes('text/html');
    if (page) return reply.sendFile('index.html');
    const message = `There is no GET ${request.url.split('?')[0]?.slice(0, 200) ?? ''}.`;
    return sendProblem(reply, { status: 404, body: createErrorBody('NOT_FOUND', { message }) });
  });
}
