import { answerText, type RunView } from '@runwire/client';
import { useEffect, useState } from 'react';
import { formatDuration } from '../ui/duration.js';
import { Icon } from '../ui/icon.js';
import { IconButton } from '../ui/icon-button.js';

/** How an answer ended, how long it took, and what can be done with it. */
export function AnswerFooter(props: { readonly run: RunView; readonly onRetry: (() => void) | undefined }) {
  const { run, onRetry } = props;
  const text = answerText(run.parts) || (run.result ?? '');
  const ending = describeEnding(run);
  return (
    <footer className="answer-footer">
      {ending !== undefined && (
        <p className={`answer-ending ${ending.tone}`} data-testid="answer-ending">
          {ending.tone === 'bad' && <Icon name="alert" />}
          <span>{ending.words}</span>
          {ending.tone === 'bad' && onRetry !== undefined && (
            <button type="button" className="link-button" onClick={onRetry}>
              Try again
            </button>
          )}
        </p>
      )}
      <div className="answer-actions">
        {text !== '' && <CopyButton text={text} />}
        {run.durationMs !== undefined && (
          <span className="answer-duration">{formatDuration(run.durationMs)}</span>
        )}
      </div>
    </footer>
  );
}

function describeEnding({ status, error }: RunView): { tone: 'calm' | 'bad'; words: string } | undefined {
  switch (status) {
    case 'failed':
      return { tone: 'bad', words: error?.message ?? 'The answer failed.' };
    case 'timed_out':
      return { tone: 'bad', words: 'This took too long and was ended.' };
    case 'interrupted':
      return { tone: 'bad', words: 'The server stopped in the middle of this answer.' };
    case 'cancelled': {
      const isSuperseded = error?.code === 'RUN_SUPERSEDED';
      return {
        tone: 'calm',
        words: isSuperseded ? 'Stopped: a newer message took its place.' : 'You stopped this answer.',
      };
    }
    case 'completed':
    case 'running':
      return undefined;
  }
}

const COPIED_MS = 2_000;

function CopyButton({ text }: { readonly text: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  // An insecure origin has no clipboard.
  const clipboard = (navigator as { readonly clipboard?: Clipboard }).clipboard;
  if (clipboard === undefined) return null;
  const copy = (): void => {
    clipboard.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  return (
    <IconButton icon={copied ? 'check' : 'copy'} label={copied ? 'Copied' : 'Copy answer'} onClick={copy} />
  );
}
