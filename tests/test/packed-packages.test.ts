import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROOT } from '../harness/tree-copy.js';

const INSTALL_MS = 240_000;

/** Everything that the packages depend on, and what that depends on. */
const THIRD_PARTY = ['zod', 'ws', 'nanoid', '@types/ws', '@types/node', 'undici-types'];

/** What a team writes that imports the packages one by one, outside of this repository. */
const USES: Readonly<Record<string, string>> = {
  'node.mjs': `
import assert from 'node:assert/strict';
import { createIdGenerator } from '@runwire/id-generation';
import { createSystemClock } from '@runwire/kernel';
import { createMemoryEventLog } from '@runwire/event-log';
import { createRequestContext } from '@runwire/user-context';
import { LIMITS } from '@runwire/protocol';
import * as names from '@runwire/client';
import '@runwire/websocket-core';
import '@runwire/connection-pool';
import '@runwire/bridge-factory';
import '@runwire/agent-handler';

const clock = createSystemClock();
const ids = createIdGenerator({ clock });
const nothing = { debug() {}, info() {}, warn() {}, error() {}, child: () => nothing };
const log = createMemoryEventLog({ clock, ids, logger: nothing });
const userId = ids.userId();
assert.equal(createRequestContext({ userId, requestId: ids.requestId() }).userId, userId);
const { head } = await log.stream(userId);
assert.equal(head, 0);
assert.equal(LIMITS.maxMessageBytes, 65536);
assert.equal(typeof names.createRunwireClient, 'function');
await log.close();
console.log('works');
`,
  'require.cjs': `
const { createIdGenerator, parseId } = require('@runwire/id-generation');
const { createSystemClock } = require('@runwire/kernel');
const id = createIdGenerator({ clock: createSystemClock() }).userId();
if (parseId(id).kind !== 'user') throw new Error(id);
console.log('works');
`,
  'types.ts': `
import { createRunwireClient, type RunwireClient } from '@runwire/client';
import { createWebSocketBridgeFactory } from '@runwire/bridge-factory';
import { createConnectionPool } from '@runwire/connection-pool';
import { createSocketServer } from '@runwire/websocket-core';
import { defineAgent } from '@runwire/agent-handler';

export const client: RunwireClient = createRunwireClient({ url: 'ws://localhost/ws', getToken: async () => 'token' });
export const factories = { createWebSocketBridgeFactory, createConnectionPool, createSocketServer };
export const agent = defineAgent({ name: 'echo', description: 'Echoes.', run: async ({ input }) => ({ text: input }) });
`,
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      target: 'es2022',
      lib: ['es2023', 'esnext.disposable', 'dom', 'dom.iterable'],
      module: 'nodenext',
      strict: true,
      skipLibCheck: false,
      noEmit: true,
      types: ['node'],
    },
    files: ['types.ts'],
  }),
};

describe('the packages, packed as they would be published', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runwire-outside-'));
    const packages = (await readdir(join(ROOT, 'packages'))).map((name) => join(ROOT, 'packages', name));
    // What they depend on comes from this checkout, so that the install asks no registry.
    const others = THIRD_PARTY.map((name) => join(ROOT, 'node_modules', name));
    const quiet = ['--ignore-scripts', '--loglevel=error'];
    await run('npm', ['pack', ...packages, ...others, '--pack-destination', folder, ...quiet], ROOT);
    const tarballs = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
    expect(tarballs).toHaveLength(packages.length + others.length);
    await writeFile(
      join(folder, 'package.json'),
      JSON.stringify({ name: 'outside', private: true, type: 'module' }),
    );
    const install = ['install', '--offline', '--no-audit', '--no-fund', ...quiet];
    await run('npm', [...install, ...tarballs.map((name) => `./${name}`)], folder);
    for (const [name, text] of Object.entries(USES)) await writeFile(join(folder, name), text);
  }, INSTALL_MS);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it(
    '[CT-4] run as ES modules and through require, in a folder outside',
    async () => {
      expect(await run(process.execPath, ['node.mjs'], folder)).toBe('works\n');
      expect(await run(process.execPath, ['require.cjs'], folder)).toBe('works\n');
    },
    INSTALL_MS,
  );

  it(
    '[CT-4] compile for a strict consumer that checks the libraries too',
    async () => {
      expect(await run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', '.'], folder)).toBe('');
    },
    INSTALL_MS,
  );

  it('[CT-4] bring no dependency that they did not declare', async () => {
    const client = JSON.parse(
      await readFile(join(folder, 'node_modules/@runwire/client/package.json'), 'utf8'),
    ) as {
      dependencies: Record<string, string>;
    };
    expect(Object.keys(client.dependencies)).toEqual(['@runwire/kernel', '@runwire/protocol']);
  });
});

/** Runs a program; its output when it succeeds, an error with its output when not. */
function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd }, (error, stdout, stderr) => {
      if (error === null) resolve(program === 'npm' ? stdout : `${stdout}${stderr}`);
      else reject(new Error(`${program} ${args.join(' ')}\n${stdout}${stderr}`));
    });
  });
}
