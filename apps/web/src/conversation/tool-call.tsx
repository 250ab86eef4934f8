import type { AnswerPart } from '@runwire/client';
import { formatDuration } from '../ui/duration.js';
import { Icon } from '../ui/icon.js';
import { LargeOutput } from './large-answer.js';

type ToolPart = Extract<AnswerPart, { type: 'tool' }>;

const STATUS: Readonly<Record<ToolPart['status'], string>> = {
  running: 'Running',
  success: 'Done',
  error: 'Failed',
  timeout: 'Timed out',
  denied: 'Denied',
  cancelled: 'Stopped',
};

/** A tool call: what it was asked, how far it is, what came of it. */
export function ToolCall({ call }: { readonly call: ToolPart }) {
  const { tool, status, error, durationMs } = call;
  return (
    <section
      className="tool"
      aria-label={`Tool ${tool}: ${STATUS[status]}`}
      data-testid="tool-call"
      data-tool={tool}
      data-status={status}
    >
      <header className="tool-head">
        <span className="tool-icon">
          <StatusIcon status={status} />
        </span>
        <span className="tool-name">{tool}</span>
        <span className="tool-preview">{preview(call)}</span>
        <span className="tool-status">
          {STATUS[status]}
          {durationMs !== undefined && ` · ${formatDuration(durationMs)}`}
        </span>
      </header>
      {status === 'running' && <Progress progress={call.progress} />}
      {error !== undefined && <p className="tool-error">{error.message}</p>}
      <div className="tool-details">
        <Details label="Input" value={call.input} />
        {call.outputUrl === undefined ? (
          call.output !== undefined && <Details label="Output" value={call.output} />
        ) : (
          <LargeOutput url={call.outputUrl} />
        )}
      </div>
    </section>
  );
}

function StatusIcon({ status }: { readonly status: ToolPart['status'] }) {
  if (status === 'running') return <span className="spinner" aria-hidden="true" />;
  if (status === 'success') return <Icon name="check" />;
  return <Icon name={status === 'cancelled' ? 'stop' : 'alert'} />;
}

function Progress({ progress }: { readonly progress: ToolPart['progress'] }) {
  if (progress === undefined) return null;
  const { message, percent } = progress;
  return (
    <div className="tool-progress">
      {percent !== undefined && <progress aria-label="Progress" max={100} value={percent} />}
      <span className="tool-progress-text">
        {message}
        {percent !== undefined && <span className="tool-percent"> {Math.round(percent)} %</span>}
      </span>
    </div>
  );
}

function Details({ label, value }: { readonly label: string; readonly value: unknown }) {
  if (value === undefined || value === null) return null;
  return (
    <details>
      <summary>
        <Icon name="chevron" />
        {label}
      </summary>
      <pre className="json">{JSON.stringify(value, null, 2)}</pre>
    </details>
  );
}

const MAX_PREVIEW = 60;

/** The gist in one line, if it fits one. */
function preview({ status, input, output }: ToolPart): string {
  const shown = status === 'success' && output !== undefined ? output : input;
  if (typeof shown !== 'object' || shown === null || Array.isArray(shown)) return fitting(asWords(shown));
  const values: [string, unknown][] = Object.entries(shown);
  return fitting(values.map(([name, value]) => `${name}: ${asWords(value)}`).join(', '));
}

function fitting(text: string): string {
  return text.length <= MAX_PREVIEW ? text : '';
}

function asWords(value: unknown): string {
  if (value === null) return '';
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
