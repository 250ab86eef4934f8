import type { AddressInfo } from 'node:net';
import type { ServerConfig } from '../config/environment.js';
import type { RunwireHttpApp } from '../http/app.js';

/** Listens, and settles to the address to open. A taken port is named with what to do. */
export async function listen(
  app: RunwireHttpApp,
  config: ServerConfig,
): Promise<{ url: string; port: number }> {
  const { host, port: wanted } = config;
  try {
    await app.listen({ host, port: wanted });
  } catch (cause) {
    throw new Error(describe(cause, host, wanted), { cause });
  }
  const { port } = app.server.address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return { url: `http://${name}:${port}`, port };
}

function describe(cause: unknown, host: string, port: number): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EADDRINUSE')
    return `port ${port} on ${host} is in use: stop what uses it or set PORT to a free one`;
  if (code === 'EACCES')
    return `port ${port} on ${host} may not be opened by this user: set PORT to 1024 or above`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `HOST ${host} is no address of this machine`;
  return cause instanceof Error ? cause.message : String(cause);
}
