import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** A process that opens the log of a folder when it is told to. */
export class HolderProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(directory: string) {
    const args = ['--import', fileOf('register-sources.mjs'), fileOf('folder-holder.ts'), directory];
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('no stdout');
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  /** Settles when everything is loaded, so that opening is all that is left to do. */
  static async start(directory: string): Promise<HolderProcess> {
    const holder = new HolderProcess(directory);
    await holder.#line();
    return holder;
  }

  /** Opens the log. Settles to `held`, or the code of the error. */
  async open(): Promise<string> {
    this.#child.stdin?.write('open\n');
    return await this.#line();
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    this.#child.kill(signal);
    if (signal !== 'SIGSTOP') await this.#gone();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#gone();
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('The process has ended.');
    return value;
  }

  async #gone(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }
}
