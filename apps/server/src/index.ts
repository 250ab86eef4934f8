/**
 * The reference server, as a function: what `main.ts` runs, and what tests start on a free port.
 *
 * @packageDocumentation
 */
export type { Decorate } from './composition/decorate.js';
export { ConfigError } from './config/errors.js';
export type { StartupPhase, StartupReport } from './startup/phases.js';
export { STARTUP_PHASES, StartupError } from './startup/phases.js';
export type { RunningServer, ServerStats } from './startup/server-process.js';
export type { StartOptions } from './startup/start-server.js';
export { startServer } from './startup/start-server.js';
