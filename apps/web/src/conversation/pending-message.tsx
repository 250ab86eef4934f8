import type { Outgoing } from '../composer/outgoing.js';

/** A message of the user that the thread does not have yet; one that waits for a connection can be taken back. */
export function PendingMessage(props: {
  readonly message: Outgoing;
  readonly onCancel: (message: Outgoing) => void;
}) {
  const { message, onCancel } = props;
  return (
    <li
      className="message user pending"
      data-testid="message"
      data-role="user"
      data-pending="true"
      data-stage={message.stage}
    >
      <div className="bubble">{message.text}</div>
      {message.stage === 'waiting' && (
        <div className="unsent">
          <span>Not sent yet</span>
          <button
            type="button"
            className="link-button"
            aria-label={`Cancel: ${message.text}`}
            onClick={() => onCancel(message)}
          >
            Cancel
          </button>
        </div>
      )}
    </li>
  );
}

/** Stands where the answer will be. */
export function TypingDots() {
  return (
    <li className="message typing" aria-label="Waiting for the answer">
      <span className="dots" aria-hidden="true">
        <span />
        <span />
        <span />
      </span>
    </li>
  );
}
