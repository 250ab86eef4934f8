import { type AnswerPart, answerText, type RunView } from '@runwire/client';
import { memo } from 'react';
import { Icon } from '../ui/icon.js';
import { AnswerFooter } from './answer-footer.js';
import { AnswerText } from './answer-text.js';
import { LargeAnswer } from './large-answer.js';
import { Reasoning } from './reasoning.js';
import { ToolCall } from './tool-call.js';

/** A run and its answer, part by part. */
export const Answer = memo(function Answer(props: {
  readonly run: RunView;
  readonly onRetry: (() => void) | undefined;
}) {
  const { run, onRetry } = props;
  const isRunning = run.status === 'running';
  const last = run.parts.length - 1;
  return (
    <li
      className="message assistant"
      data-testid="message"
      data-role="assistant"
      data-status={run.status}
      data-run-id={run.runId}
      aria-busy={isRunning}
    >
      <span className="visually-hidden">Answer of {run.agent}:</span>
      {keyed(run.parts).map(({ key, part }, index) => (
        <Part key={`${run.messageId} ${key}`} part={part} isOpen={isRunning && index === last} />
      ))}
      <WholeResult run={run} />
      {isRunning && showsCursor(run) && <span className="working" role="presentation" />}
      {!isRunning && <AnswerFooter run={run} onRetry={onRetry} />}
    </li>
  );
});

const Part = memo(function Part({ part, isOpen }: { readonly part: AnswerPart; readonly isOpen: boolean }) {
  switch (part.type) {
    case 'text':
      return <AnswerText text={part.text} />;
    case 'reasoning':
      return <Reasoning text={part.text} isOpen={isOpen} />;
    case 'thinking':
      return (
        <p className="step" data-testid="thinking" data-open={isOpen}>
          <span className={isOpen ? 'pulse' : 'step-dot'} aria-hidden="true" />
          {part.step !== undefined && part.totalSteps !== undefined && (
            <span className="step-count">
              {part.step}/{part.totalSteps}
            </span>
          )}
          {part.text}
        </p>
      );
    case 'tool':
      return <ToolCall call={part} />;
    case 'problem':
      return (
        <p className="answer-problem" data-testid="problem" data-code={part.code}>
          <Icon name="alert" /> {part.message}
        </p>
      );
  }
});

/** Parts are only ever appended, so the how-manieth of its kind names one. */
function keyed(parts: readonly AnswerPart[]): readonly { readonly key: string; readonly part: AnswerPart }[] {
  const counts = new Map<string, number>();
  return parts.map((part) => {
    const count = (counts.get(part.type) ?? 0) + 1;
    counts.set(part.type, count);
    return { key: `${part.type} ${count}`, part };
  });
}

/** An answer that came whole, without having been streamed. */
function WholeResult({ run }: { readonly run: RunView }) {
  if (run.status === 'running' || answerText(run.parts) !== '') return null;
  if (run.result !== undefined && run.result !== '') return <AnswerText text={run.result} />;
  return run.resultUrl === undefined ? null : <LargeAnswer url={run.resultUrl} />;
}

/** Text and tools show by themselves that something is going on. */
function showsCursor(run: RunView): boolean {
  const part = run.parts.at(-1);
  return part === undefined || part.type === 'problem' || (part.type === 'tool' && part.status !== 'running');
}
