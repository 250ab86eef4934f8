import type { ServerProcess } from './server-process.js';

/** What belongs to a connection or a run, by constructor. */
const PER_CONNECTION: readonly string[] = [
  'ClientConnection',
  'ConnectionShell',
  'ConnectionCursor',
  'HandlerRegistration',
  'RequestContext',
  'UserExecutionContext',
  'UserManager',
  'RunEmitter',
];

/** What a server at rest still has of its connections and runs, such as `ConnectionCursor: 2`; empty without leaks. */
export async function liveConnectionObjects(server: ServerProcess): Promise<readonly string[]> {
  const objects = await server.liveObjects();
  return PER_CONNECTION.filter((name) => (objects.get(name) ?? 0) > 0).map(
    (name) => `${name}: ${objects.get(name)}`,
  );
}
