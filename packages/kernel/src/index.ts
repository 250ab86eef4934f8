/**
 * The closed list that every Runwire package shares. Nothing is added here without a design note.
 *
 * @packageDocumentation
 */
export type { CodedErrorOptions } from './coded-error.js';
export { CodedError, isCodedError } from './coded-error.js';
export type { Clock, Deferred, Lifecycle, LogFields, Logger, TimerHandle } from './contract.js';
export { createDeferred } from './deferred.js';
export { createSystemClock } from './system-clock.js';
export { createTurnQueue, type TurnQueue } from './turn-queue.js';
