/** A message of the user that the thread does not have yet. */
export function PendingMessage({ text }: { readonly text: string }) {
  return (
    <li className="message user pending" data-testid="message" data-role="user" data-pending="true">
      <div className="bubble">{text}</div>
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
