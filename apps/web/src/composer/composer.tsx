import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { IconButton } from '../ui/icon-button.js';
import { SendProblemNotice } from './send-problem-notice.js';
import type { Sender } from './sender.js';

/** Where a message is written. Enter sends, Shift+Enter breaks the line, Esc stops the running answer. */
export function Composer({ sender, runId }: { readonly sender: Sender; readonly runId: string | undefined }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const { draft, problem, isSending, isWaiting } = sender;
  useGrowing(field, draft);
  useEffect(() => {
    // On a touch screen the keyboard would cover what was opened.
    if (matchMedia('(pointer: fine)').matches) field.current?.focus();
  }, []);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Escape' && runId !== undefined) {
      event.preventDefault();
      sender.stop(runId);
    }
    if (event.key !== 'Enter' || event.shiftKey) return;
    event.preventDefault();
    sender.send(draft);
  };
  return (
    <div className="composer-area">
      {problem !== undefined && <SendProblemNotice problem={problem} sender={sender} />}
      <form
        className="composer"
        onSubmit={(event) => {
          event.preventDefault();
          sender.send(draft);
          field.current?.focus();
        }}
      >
        <textarea
          ref={field}
          id="message"
          rows={1}
          aria-label="Message"
          aria-keyshortcuts="Enter"
          placeholder="Write a message"
          enterKeyHint="send"
          value={draft}
          readOnly={isSending}
          aria-busy={isSending}
          onChange={(event) => sender.setDraft(event.target.value)}
          onKeyDown={onKeyDown}
        />
        {runId !== undefined && (
          <IconButton
            icon="stop"
            label="Stop"
            className="round stop"
            disabled={sender.isStopping}
            onClick={() => {
              sender.stop(runId);
              field.current?.focus();
            }}
          />
        )}
        {(runId === undefined || draft.trim() !== '') && (
          <IconButton
            type="submit"
            icon="send"
            label="Send"
            className="round send"
            disabled={isSending || isWaiting || draft.trim() === ''}
          />
        )}
      </form>
      <ComposerHint sender={sender} isRunning={runId !== undefined} />
    </div>
  );
}

function ComposerHint(props: { readonly sender: Sender; readonly isRunning: boolean }) {
  const { isSending, isWaiting } = props.sender;
  const isSlow = useIsSlow(isSending);
  let hint = 'Enter to send, Shift + Enter for a new line';
  if (props.isRunning) hint = 'Esc to stop the answer';
  if (isSending) hint = isSlow ? 'The server asks for a moment: it is being tried again.' : 'Sending…';
  if (isWaiting) hint = 'It will be sent as soon as you are connected again.';
  return <p className="composer-hint">{hint}</p>;
}

const SLOW_MS = 4_000;

/** The client tries again by itself when it is told to wait, which may take a while. */
function useIsSlow(isSending: boolean): boolean {
  const [isSlow, setSlow] = useState(false);
  useEffect(() => {
    if (!isSending) return;
    const timer = setTimeout(() => setSlow(true), SLOW_MS);
    return () => {
      clearTimeout(timer);
      setSlow(false);
    };
  }, [isSending]);
  return isSlow;
}

/** Lets the field be as high as its text; the style sheet sets the limit. */
function useGrowing(field: { readonly current: HTMLTextAreaElement | null }, text: string): void {
  useLayoutEffect(() => {
    const element = field.current;
    if (element === null) return;
    element.style.height = 'auto';
    element.style.height = text === '' ? '' : `${element.scrollHeight}px`;
  }, [field, text]);
}
