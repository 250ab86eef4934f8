import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { copyTree, type TreeCopy } from '../harness/tree-copy.js';

const GATES_MS = 60_000;

/** The factory whose callers were forgotten, and what it takes. */
const BRIDGE = 'packages/bridge-factory/src';
/** Where the server puts its parts together. */
const PROVIDERS = 'apps/server/src/composition/providers.ts';
const SERVER = 'apps/server/src';

const MANAGER_CALL = /[\w.]+\.managerFor\(/g;
/** Either it awaits what is no promise, or it cannot await at all. */
const AWAIT_REFUSED = /await-thenable|only allowed within async functions/;

/**
 * The server of the copy. It ends by itself if it should come up: no test waits for what must not be.
 * The port and the folder are its own.
 */
const START = `
process.env.PORT = '0';
process.env.RUNWIRE_DATA_DIR = './temp-data';
setTimeout(() => process.exit(99), 15_000).unref();
await import('./apps/server/dist/main.js');
`;

describe('a server whose parts do not fit', () => {
  let copy: TreeCopy;

  beforeAll(async () => {
    copy = await copyTree();
    expect(await copy.run('tsc', ['-b'])).toMatchObject({ code: 0 });
  }, GATES_MS);

  afterAll(async () => await copy[Symbol.asyncDispose]());

  it(
    '[QA-1, CT-1, BR-1] an argument is renamed in one factory and its callers stay stale: the build names them, and what is shipped all the same refuses to start',
    async () => {
      await using renamed = await edited(copy, [
        [`${BRIDGE}/contract.ts`, 'readonly connections: Connections;', 'readonly pool: Connections;'],
        [`${BRIDGE}/bridge-factory.ts`, `['log', 'connections', 'ids',`, `['log', 'pool', 'ids',`],
        [
          `${BRIDGE}/bridge-factory.ts`,
          'const { log, connections } = this.#deps;',
          'const { log, pool: connections } = this.#deps;',
        ],
      ]);
      const stale = errorsOf(await renamed.build());
      expect(stale).toEqual([expect.stringMatching(/^apps\/server\/src\/.* error TS\d+: .*'connections'/)]);
      expect(await start(copy)).toMatchObject({
        code: 1,
        output: expect.stringMatching(/^runwire-server: bridge factory: .*"pool" is missing/m),
      });
    },
    GATES_MS,
  );

  it(
    '[QA-1, BR-1, ST-1] the bridge is configured without a connection pool: no cast gets it past the start, which names the phase',
    async () => {
      await using without = await edited(copy, [
        [PROVIDERS, 'connections: s.get(TOKENS.pool),', 'connections: undefined as never,'],
      ]);
      expect(await without.build()).toMatchObject({ code: 0 });
      expect(await start(copy)).toMatchObject({
        code: 1,
        output: expect.stringMatching(/^runwire-server: bridge factory: .*"connections" is missing/m),
      });
    },
    GATES_MS,
  );

  it(
    '[QA-1, MG-2] a synchronous manager is awaited in many places: each fails the lint, and each fails the build when the manager turns asynchronous',
    async () => {
      const callers = callersOf(copy, MANAGER_CALL);
      expect(callers).not.toEqual([]);
      {
        await using awaited = await rewritten(copy, callers, (text) =>
          text.replaceAll(MANAGER_CALL, 'await $&'),
        );
        for (const file of callers) {
          const { code, output } = await awaited.lint(file);
          expect([file, code, output]).toEqual([file, 1, expect.stringMatching(AWAIT_REFUSED)]);
        }
      }
      await using asynchronous = await edited(copy, [
        [
          'packages/connection-pool/src/contract.ts',
          'managerFor(context: RequestContext): WebSocketManager;',
          'managerFor(context: RequestContext): Promise<WebSocketManager>;',
        ],
      ]);
      const errors = errorsOf(await asynchronous.build());
      expect(callers.filter((file) => !errors.some((line) => line.startsWith(file)))).toEqual([]);
    },
    GATES_MS,
  );
});

type ProgramEnd = Awaited<ReturnType<TreeCopy['run']>>;

/** A copy with something changed in it; disposing of it changes it back. */
interface ChangedCopy extends AsyncDisposable {
  build(): Promise<ProgramEnd>;
  lint(file: string): Promise<ProgramEnd>;
}

async function edited(
  copy: TreeCopy,
  edits: readonly (readonly [file: string, find: string, replacement: string])[],
): Promise<ChangedCopy> {
  const undos: (() => Promise<void>)[] = [];
  for (const [file, find, replacement] of edits) undos.unshift(await copy.edit(file, find, replacement));
  return {
    build: () => copy.run('tsc', ['-b']),
    lint: (file) => copy.run('oxlint', ['--type-aware', '--deny-warnings', file]),
    async [Symbol.asyncDispose]() {
      // Last first: an edit is undone to the text it found.
      for (const undo of undos) await undo();
    },
  };
}

async function rewritten(
  copy: TreeCopy,
  files: readonly string[],
  rewrite: (text: string) => string,
): Promise<ChangedCopy> {
  return await edited(
    copy,
    files.map((file) => [file, textOf(copy, file), rewrite(textOf(copy, file))] as const),
  );
}

function textOf(copy: TreeCopy, file: string): string {
  return readFileSync(join(copy.directory, file), 'utf8');
}

/** The files of the server that have such a call. */
function callersOf(copy: TreeCopy, call: RegExp): readonly string[] {
  return readdirSync(join(copy.directory, SERVER), { recursive: true, encoding: 'utf8' })
    .map((name) => `${SERVER}/${name}`)
    .filter((file) => file.endsWith('.ts') && textOf(copy, file).search(call) !== -1);
}

function errorsOf({ output }: ProgramEnd): readonly string[] {
  return output.split('\n').filter((line) => / error TS\d+: /.test(line));
}

async function start(copy: TreeCopy): Promise<ProgramEnd> {
  return await copy.run('node', ['--input-type=module', '--eval', START]);
}
