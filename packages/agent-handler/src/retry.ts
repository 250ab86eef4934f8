import type { AgentRegistry, RunRecord } from './contract.js';
import type { ResolvedAgentRuntimeOptions } from './options.js';

/** What decides whether a run may be begun again. */
export interface RetryRules {
  readonly agents: Pick<AgentRegistry, 'has' | 'get'>;
  readonly options: Pick<ResolvedAgentRuntimeOptions, 'maxRunAttempts'>;
}

/** Whether a run may be begun again once its process is gone: its agent says so, and there is an attempt left. */
export function mayRetry(
  run: Pick<RunRecord, 'agent' | 'attempt' | 'status'>,
  { agents, options }: RetryRules,
): boolean {
  if (!agents.has(run.agent) || agents.get(run.agent).retryOnCrash !== true) return false;
  // An attempt that was accepted and never started is not used up.
  const used = run.status === 'accepted' ? run.attempt - 1 : run.attempt;
  return used < options.maxRunAttempts;
}
