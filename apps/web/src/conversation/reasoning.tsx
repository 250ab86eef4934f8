import { useState } from 'react';
import { Icon } from '../ui/icon.js';

/** What the agent thought, open while it does, until the user decides otherwise. */
export function Reasoning({ text, isOpen }: { readonly text: string; readonly isOpen: boolean }) {
  const [chosen, setChosen] = useState<boolean>();
  const open = chosen ?? isOpen;
  return (
    <div className="reasoning" data-testid="reasoning">
      <button
        type="button"
        className="reasoning-toggle"
        aria-expanded={open}
        onClick={() => setChosen(!open)}
      >
        <Icon name="chevron" />
        {isOpen ? 'Thinking…' : 'Thoughts'}
      </button>
      {open && <p className="reasoning-text">{text}</p>}
    </div>
  );
}
