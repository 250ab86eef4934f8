import { useNow } from '../state/use-now.js';
import { Icon } from '../ui/icon.js';
import type { SendProblem } from './send-problem.js';
import type { Sender } from './sender.js';

/** Says above the composer why a message was not sent, and offers the next step. */
export function SendProblemNotice({
  problem,
  sender,
}: {
  readonly problem: SendProblem;
  readonly sender: Sender;
}) {
  const nowMs = useNow(problem.retryAtMs === undefined ? false : 250);
  const secondsLeft = Math.max(0, Math.ceil(((problem.retryAtMs ?? 0) - nowMs) / 1_000));
  const { code, message, text, busyRunId } = problem;
  return (
    <div className="send-problem" role="alert" data-testid="send-problem" data-code={code}>
      <Icon name="alert" />
      <span>{message}</span>
      {text !== undefined && busyRunId !== undefined && (
        <button type="button" className="link-button" onClick={() => sender.send(sender.draft, busyRunId)}>
          Stop it and send
        </button>
      )}
      {text !== undefined && busyRunId === undefined && problem.retryAtMs !== undefined && (
        <button
          type="button"
          className="link-button"
          disabled={secondsLeft > 0}
          onClick={() => sender.send(sender.draft)}
        >
          {secondsLeft > 0 ? `Send again in ${secondsLeft} s` : 'Send again'}
        </button>
      )}
    </div>
  );
}
