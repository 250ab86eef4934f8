import { type InputHTMLAttributes, type ReactNode, useId } from 'react';

type InputProps = Omit<InputHTMLAttributes<HTMLInputElement>, 'value' | 'onChange' | 'id'>;

/** A labelled input with what is wrong with it right below. */
export function TextField(
  props: {
    readonly label: string;
    readonly value: string;
    readonly onValue: (value: string) => void;
    readonly hint?: string;
    readonly problem?: string | undefined;
    readonly wayOut?: ReactNode;
  } & InputProps,
) {
  const { label, value, onValue, hint, problem, wayOut, ...input } = props;
  const id = useId();
  const describedBy = [hint !== undefined && `${id}-hint`, problem !== undefined && `${id}-problem`];
  return (
    <div className="field">
      <div className="field-label">
        <label htmlFor={id}>{label}</label>
        {hint !== undefined && (
          <span className="muted" id={`${id}-hint`}>
            {hint}
          </span>
        )}
      </div>
      <input
        {...input}
        id={id}
        value={value}
        aria-invalid={problem !== undefined}
        aria-describedby={describedBy.filter(Boolean).join(' ')}
        onChange={(event) => onValue(event.target.value)}
      />
      {problem !== undefined && (
        <p className="field-problem" id={`${id}-problem`} role="alert">
          {problem} {wayOut}
        </p>
      )}
    </div>
  );
}
