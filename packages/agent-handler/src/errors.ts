import { CodedError, isCodedError } from '@runwire/kernel';
import type { EventError } from '@runwire/protocol';

/**
 * - `AGENT_INVALID_DEFINITION`: an agent or a tool is defined wrongly; `details` names what.
 * - `AGENT_INVALID_OPTION`: an option is out of its range; `details.option`.
 * - `AGENT_INVALID_OUTPUT`: an agent emitted what is no text.
 * - `AGENT_UNKNOWN`: there is no agent of that name; `details.agents` lists those there are.
 * - `RUN_NOT_ENDED`: SQL has not taken the end of a run; recovery will end it.
 * - `RUN_OVER`: the run, or the tool call, has ended: nothing can be emitted or called any more.
 * - `RUN_TAKEN_OVER`: somebody else has the run, or has ended it.
 */
export const AGENT_ERROR_CODES = [
  'AGENT_INVALID_DEFINITION',
  'AGENT_INVALID_OPTION',
  'AGENT_INVALID_OUTPUT',
  'AGENT_UNKNOWN',
  'RUN_NOT_ENDED',
  'RUN_OVER',
  'RUN_TAKEN_OVER',
] as const;

/** One of {@link AGENT_ERROR_CODES}. */
export type AgentErrorCode = (typeof AGENT_ERROR_CODES)[number];

/** The error of this package. Match on `code`. What users are told is in {@link FAILURES}. */
export class AgentError extends CodedError<AgentErrorCode> {
  override readonly name = 'AgentError';
}

/** What a tool throws to tell the user why it failed: its message is shown as it is. */
export class ToolError extends CodedError {
  override readonly name = 'ToolError';

  /** `code` is the tool's own. */
  constructor(message: string, options: { readonly code?: string; readonly cause?: unknown } = {}) {
    super(options.code ?? 'TOOL_FAILED', message, { cause: options.cause });
  }
}

/** True for a {@link ToolError}, whichever copy of this package made it. */
export function isToolError(value: unknown): value is ToolError {
  return isCodedError(value) && value.name === 'ToolError';
}

/** Why runs and tool calls fail, in the words that users see: the only ones. Never a stack or a cause. */
export const FAILURES = Object.freeze({
  agentFailed: failure('AGENT_FAILED', 'The agent ran into a problem and could not finish its answer.'),
  agentSilent: failure('AGENT_FAILED', 'The agent ended without an answer.'),
  answerTooLarge: failure('ANSWER_TOO_LARGE', 'The answer became too large, so the agent was stopped.'),
  runTimeout: failure('AGENT_TIMEOUT', 'The agent took too long and was stopped.'),
  idleTimeout: failure('AGENT_TIMEOUT', 'The agent showed no progress for too long and was stopped.'),
  interrupted: failure('RUN_INTERRUPTED', 'The run was interrupted because the server stopped.'),
  notDelivered: failure('INTERNAL', 'Something went wrong on our side while the answer was written.'),
  notStored: failure(
    'INTERNAL',
    'Our storage does not take anything at the moment, so the answer could not be written. Please try again later.',
  ),
  notPrepared: failure('INTERNAL', 'Something went wrong on our side before the agent could begin.'),
  toolFailed: failure('TOOL_FAILED', 'The tool failed.'),
  toolTimeout: failure('TOOL_TIMEOUT', 'The tool took too long and was stopped.'),
  toolCancelled: failure('TOOL_CANCELLED', 'The run ended before the tool did.'),
  toolOutputInvalid: failure('TOOL_FAILED', 'The tool returned something that cannot be shown.'),
  toolOutputTooLarge: failure('TOOL_FAILED', 'The output of the tool is too large to be kept.'),
});

/** What to tell the user of an event that could not be appended: a storage that is full or broken, or `otherwise`. */
export function appendFailure(cause: unknown, otherwise: EventError): EventError {
  for (let error = cause; error instanceof Error; error = error.cause) {
    if (isCodedError(error, 'LOG_WRITE_FAILED')) return FAILURES.notStored;
  }
  return otherwise;
}

/** A tool's name that no tool of the agent has. */
export function toolNotFound(tool: string, names: readonly string[]): EventError {
  const known = names.length === 0 ? 'This agent has no tools.' : `The tools are: ${names.join(', ')}.`;
  return { code: 'TOOL_NOT_FOUND', message: `There is no tool "${tool}". ${known}` };
}

/** Input that does not have the shape the tool asks for. */
export function toolInputInvalid(issues: readonly string[]): EventError {
  return { code: 'TOOL_INPUT_INVALID', message: `The input of the tool is not valid: ${issues.join('; ')}.` };
}

/** `INTERNAL` tells the user nothing but where we find the cause: the request's id, which is in the logs. */
export function withReference(error: EventError, requestId: string): EventError {
  return error.code === 'INTERNAL'
    ? { ...error, message: `${error.message} Reference: ${requestId}.` }
    : error;
}

/** The error of everything that is tried after the end of a run. */
export function runOver(): AgentError {
  return new AgentError('RUN_OVER', 'The run has ended: nothing can be emitted or called any more.');
}

function failure(code: string, message: string): EventError {
  return Object.freeze({ code, message });
}
