import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { CONTESTANTS } from '../contestants/catalog.js';
import { PEERS_DIRECTORY } from '../contestants/uws/library.js';

/** Where and with what a run was made. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  /** Versions of packages, by name. */
  readonly packages: Readonly<Record<string, string>>;
}

/** Describes this machine and what is installed on it. */
export function describeMachine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 1_024 ** 3),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    packages: installedVersions(),
  };
}

function installedVersions(): Readonly<Record<string, string>> {
  const requires = [createRequire(import.meta.url), createRequire(`${PEERS_DIRECTORY}package.json`)];
  const versions: Record<string, string> = {};
  for (const name of new Set(Object.values(CONTESTANTS).flatMap(({ packages }) => packages))) {
    const version = requires.map((require) => versionOf(name, require)).find((found) => found !== undefined);
    if (version !== undefined) versions[name] = version;
  }
  return versions;
}

/** Some packages export neither their `package.json` nor anything beside their entry: the folder is searched. */
function versionOf(name: string, require: NodeJS.Require): string | undefined {
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      const manifest: { version: string } = JSON.parse(
        readFileSync(`${folder}/${name}/package.json`, 'utf8'),
      );
      return manifest.version;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}
