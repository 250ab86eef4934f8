// @ts-check
// Copies the working tree, so that tests and `npm run test:mutants` can break things in the copy.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * How a program ended.
 * @typedef {object} ProgramEnd
 * @property {number} code
 * @property {string} output What it wrote to standard output, then what it wrote to standard error.
 */

/**
 * What can be done in a copy.
 * @typedef {object} CopyOperations
 * @property {string} directory
 * @property {(file: string, find: string | RegExp, replacement: string) => Promise<() => Promise<void>>} edit
 *   Replaces text in one file of the copy, as it is written: `$` means nothing. The text must be there. Returns the undo.
 * @property {(file: string, text: string) => Promise<() => Promise<void>>} create
 *   Adds a file to the copy. Returns the undo.
 * @property {(program: string, args: readonly string[], folder?: string) => Promise<ProgramEnd>} run
 *   Runs `node`, or a program of the repository's `node_modules`, in the copy; kills it after five minutes.
 */

/**
 * A copy of the working tree in which a test may break things. Disposing of it removes it.
 * @typedef {CopyOperations & AsyncDisposable} TreeCopy
 */

const GENERATED = new Set(['node_modules', 'dist', 'temp', '.turbo', '.git', 'coverage']);
const RUN_TIMEOUT_MS = 300_000;
const MAX_OUTPUT_BYTES = 64 * 1_024 * 1_024;

/**
 * Copies what git tracks or would track, and links the dependencies; siblings resolve inside the copy.
 * @returns {Promise<TreeCopy>}
 */
export async function copyTree() {
  const directory = await mkdtemp(join(tmpdir(), 'runwire-copy-'));
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    await copyFiles(directory);
    await linkDependencies(directory);
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    directory,
    edit: (file, find, replacement) => edit(join(directory, file), find, replacement),
    async create(file, text) {
      await writeFile(join(directory, file), text);
      return () => rm(join(directory, file), { force: true });
    },
    run: (program, args, folder = '.') => {
      const path = program === 'node' ? process.execPath : join(ROOT, 'node_modules/.bin', program);
      return run(path, args, join(directory, folder));
    },
    [Symbol.asyncDispose]: remove,
  };
}

/** @param {string} directory */
async function copyFiles(directory) {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT })
    .toString()
    .split('\n')
    .filter(
      (file) => file !== '' && existsSync(join(ROOT, file)) && !GENERATED.has(file.split('/')[0] ?? ''),
    );
  for (const file of files) {
    await mkdir(dirname(join(directory, file)), { recursive: true });
    await cp(join(ROOT, file), join(directory, file));
  }
}

/** @param {string} directory */
async function linkDependencies(directory) {
  const modules = join(directory, 'node_modules');
  await mkdir(join(modules, '@runwire'), { recursive: true });
  for (const entry of await readdir(join(ROOT, 'node_modules'))) {
    if (entry !== '@runwire') await symlink(join(ROOT, 'node_modules', entry), join(modules, entry));
  }
  for (const group of ['packages', 'apps']) {
    for (const name of await readdir(join(ROOT, group))) {
      await symlink(join(directory, group, name), join(modules, '@runwire', name));
      const own = join(ROOT, group, name, 'node_modules');
      if (existsSync(own)) await symlink(own, join(directory, group, name, 'node_modules'));
    }
  }
}

/**
 * @param {string} file
 * @param {string | RegExp} find
 * @param {string} replacement
 */
async function edit(file, find, replacement) {
  const text = await readFile(file, 'utf8');
  const edited = text.replace(find, () => replacement);
  if (edited === text) throw new Error(`${file} has no ${String(find)} to replace.`);
  await writeFile(file, edited);
  return () => writeFile(file, text);
}

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @param {string} cwd
 * @returns {Promise<ProgramEnd>}
 */
function run(program, args, cwd) {
  return new Promise((resolve) => {
    const limits = { maxBuffer: MAX_OUTPUT_BYTES, timeout: RUN_TIMEOUT_MS };
    execFile(program, args, { cwd, ...limits, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: `${stdout}${stderr}` });
    });
  });
}
