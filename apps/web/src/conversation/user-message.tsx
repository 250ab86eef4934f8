import { memo } from 'react';

const TIME = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });

/** What the user wrote, as it was written. */
export const UserMessage = memo(function UserMessage(props: {
  readonly text: string;
  readonly createdAtMs: number;
}) {
  return (
    <li className="message user" data-testid="message" data-role="user">
      <span className="visually-hidden">You wrote:</span>
      <div className="bubble" title={TIME.format(props.createdAtMs)}>
        {props.text}
      </div>
    </li>
  );
});
