/**
 * From a user's command to an agent's run: agents, tools, the execution engine, supervision, recovery.
 *
 * @packageDocumentation
 */
export type { AgentMessageHandlerDeps } from './agent-message-handler.js';
export { createAgentMessageHandler } from './agent-message-handler.js';
export { createAgentRegistry } from './agent-registry.js';
export type {
  AcceptedRun,
  AcceptMessage,
  AcceptOutcome,
  AgentMessageHandler,
  AgentRegistry,
  AgentRequest,
  AgentRuntimeDeps,
  CommandKey,
  Emitters,
  ExecutionEngine,
  ExecutionEngineFactory,
  FinishRun,
  Outbox,
  OutboxEntry,
  RecalledCommand,
  Recovery,
  RecoveryReport,
  RetriedRun,
  RetryRun,
  RunInput,
  RunPlace,
  RunRecord,
  RunStore,
  RunSupervisor,
  StopReason,
  SupervisorStats,
  ThreadStore,
} from './contract.js';
export { defineAgent, defineTool } from './define.js';
export type {
  AgentDefinition,
  AgentOutput,
  AgentResult,
  AgentTask,
  AnyToolDefinition,
  HistoryMessage,
  RunLimits,
  ToolCall,
  ToolCaller,
  ToolDefinition,
  ToolOutcome,
} from './definitions.js';
export type { ExecutionEngineFactoryDeps } from './engine-factory.js';
export { createExecutionEngineFactory } from './engine-factory.js';
export type { AgentErrorCode } from './errors.js';
export { AGENT_ERROR_CODES, AgentError, FAILURES, ToolError } from './errors.js';
export type { AgentRuntimeOptions, ResolvedAgentRuntimeOptions } from './options.js';
export { DEFAULT_AGENT_RUNTIME_OPTIONS } from './options.js';
export type { OutboxDeps } from './outbox.js';
export { createOutbox } from './outbox.js';
export type { RecoveryDeps } from './recovery.js';
export { createRecovery } from './recovery.js';
export { createRunSupervisor } from './run-supervisor.js';
export type { ToolCallDeps, ToolEvents } from './tool-call.js';
export type { ToolDispatcher, ToolDispatcherDeps } from './tool-dispatcher.js';
export { createToolDispatcher } from './tool-dispatcher.js';
