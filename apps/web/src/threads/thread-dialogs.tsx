import { type FormEvent, useState } from 'react';
import { describeFailure } from '../api/api-error.js';
import type { ThreadSummary } from '../api/server-api.js';
import { Modal } from '../ui/modal.js';
import { TextField } from '../ui/text-field.js';
import { useWorkspace } from '../workspace/workspace-context.js';

/** Asks for a thread's new title. */
export function RenameDialog({
  thread,
  onDone,
}: {
  readonly thread: ThreadSummary;
  readonly onDone: () => void;
}) {
  const { threads } = useWorkspace();
  const [title, setTitle] = useState(thread.title);
  const { busy, problem, run } = useAttempt();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (title.trim() !== '') run(() => threads.rename(thread.id, title.trim()), onDone);
  };
  return (
    <Modal title="Rename chat" onCancel={onDone}>
      <form className="form" onSubmit={submit}>
        <TextField
          label="Title"
          maxLength={200}
          value={title}
          onValue={setTitle}
          problem={problem}
          onFocus={(event) => event.target.select()}
        />
        <div className="modal-actions">
          <button type="button" className="button quiet" onClick={onDone}>
            Cancel
          </button>
          <button type="submit" className="button primary" disabled={busy || title.trim() === ''}>
            Rename
          </button>
        </div>
      </form>
    </Modal>
  );
}

/** Asks whether a thread shall be deleted. */
export function DeleteDialog(props: {
  readonly thread: ThreadSummary;
  readonly onDone: (deleted: boolean) => void;
}) {
  const { thread, onDone } = props;
  const { threads } = useWorkspace();
  const { busy, problem, run } = useAttempt();
  return (
    <Modal title="Delete chat?" onCancel={() => onDone(false)}>
      <p>“{thread.title}” and all its messages will be deleted. This cannot be undone.</p>
      {problem !== undefined && (
        <p className="field-problem" role="alert">
          {problem}
        </p>
      )}
      <div className="modal-actions">
        <button type="button" className="button quiet" onClick={() => onDone(false)}>
          Cancel
        </button>
        <button
          type="button"
          className="button danger"
          disabled={busy}
          onClick={() =>
            run(
              () => threads.remove(thread.id),
              () => onDone(true),
            )
          }
        >
          {busy ? 'Deleting…' : 'Delete'}
        </button>
      </div>
    </Modal>
  );
}

function useAttempt() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const attempt = async (work: () => Promise<void>, done: () => void): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await work();
      done();
    } catch (cause) {
      setProblem(describeFailure(cause));
      setBusy(false);
    }
  };
  return { busy, problem, run: (work: () => Promise<void>, done: () => void) => void attempt(work, done) };
}
