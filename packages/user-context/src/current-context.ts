import { AsyncLocalStorage } from 'node:async_hooks';
import type { RequestContext } from './contract.js';
import type { UserExecutionContext } from './user-execution-context.js';

const flows = new AsyncLocalStorage<RequestContext | UserExecutionContext>();

/**
 * Calls `run` with `context` current in it and in everything asynchronous that it begins, and nowhere else.
 * May be nested; the outer context is back when `run` returns.
 *
 * @returns what `run` returns; what it throws is thrown
 */
export function runWithContext<T>(context: RequestContext | UserExecutionContext, run: () => T): T {
  return flows.run(context, run);
}

/**
 * The context of the asynchronous flow that asks; `undefined` outside of any. A run's has a `runId`. For logs
 * and traces: what work needs, it takes as an argument.
 */
export function currentContext(): RequestContext | UserExecutionContext | undefined {
  return flows.getStore();
}
