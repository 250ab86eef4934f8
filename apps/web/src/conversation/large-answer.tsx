import { useState } from 'react';
import { describeFailure } from '../api/api-error.js';
import { useWorkspace } from '../workspace/workspace-context.js';
import { AnswerText } from './answer-text.js';

/** An answer that was too large to be sent along: loaded when asked for. */
export function LargeAnswer({ url }: { readonly url: string }) {
  const { value, busy, problem, load } = useLargeValue(url);
  if (value !== undefined) return <AnswerText text={asText(value)} />;
  return <LoadButton what="answer" busy={busy} problem={problem} onLoad={load} />;
}

/** The output of a tool that was too large to be sent along. */
export function LargeOutput({ url }: { readonly url: string }) {
  const { value, busy, problem, load } = useLargeValue(url);
  if (value !== undefined) return <pre className="json">{asText(value)}</pre>;
  return <LoadButton what="output" busy={busy} problem={problem} onLoad={load} />;
}

function LoadButton(props: {
  readonly what: string;
  readonly busy: boolean;
  readonly problem: string | undefined;
  readonly onLoad: () => void;
}) {
  return (
    <div className="large-value">
      {props.problem !== undefined && <p className="field-problem">{props.problem}</p>}
      <button type="button" className="button quiet" disabled={props.busy} onClick={props.onLoad}>
        {props.busy ? 'Loading…' : `Load the ${props.what}`}
      </button>
    </div>
  );
}

function useLargeValue(url: string) {
  const { api } = useWorkspace();
  const [value, setValue] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const attempt = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      setValue(await api.largeValue(url));
    } catch (cause) {
      setProblem(describeFailure(cause));
    } finally {
      setBusy(false);
    }
  };
  return { value, busy, problem, load: () => void attempt() };
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}
