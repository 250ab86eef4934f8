// A registry that lacks the prebuilt packages of other platforms leaves them out of
// package-lock.json, and `npm ci` then refuses the lock. This writes the missing
// optional entries (the parent's version, or the lowest of its range; os/cpu/libc from the name).
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const packages = lock.packages;

const OS = {
  android: 'android',
  darwin: 'darwin',
  freebsd: 'freebsd',
  linux: 'linux',
  linuxmusl: 'linux',
  netbsd: 'netbsd',
  openbsd: 'openbsd',
  openharmony: 'openharmony',
  sunos: 'sunos',
  aix: 'aix',
  win32: 'win32',
  windows: 'win32',
};
const CPU = {
  64: 'x64',
  x64: 'x64',
  arm64: 'arm64',
  arm: 'arm',
  ia32: 'ia32',
  ppc64: 'ppc64',
  s390x: 's390x',
  riscv64: 'riscv64',
  loong64: 'loong64',
  mips64el: 'mips64el',
  wasm32: 'wasm32',
};

function platform(name) {
  const words = name.replace(/^@[^/]+\//, '').split('-');
  const os = words.map((w) => OS[w]).find(Boolean);
  const cpu = words.map((w) => CPU[w]).findLast(Boolean);
  const musl = words.some((w) => w.includes('musl'));
  const gnu = words.includes('gnu');
  return {
    cpu: cpu && [cpu],
    libc: os === 'linux' && (musl || gnu) ? [musl ? 'musl' : 'glibc'] : undefined,
    os: os && [os],
  };
}

function resolves(from, name) {
  for (let at = from; ; ) {
    if (packages[`${at ? `${at}/` : ''}node_modules/${name}`]) return true;
    if (!at) return false;
    const cut = at.lastIndexOf('/node_modules/');
    at = cut < 0 ? '' : at.slice(0, cut);
  }
}

let added = 0;
for (const [at, pkg] of Object.entries({ ...packages })) {
  for (const [name, range] of Object.entries(pkg.optionalDependencies ?? {})) {
    if (resolves(at, name)) continue;
    const version = /^[~^]?(\d+\.\d+\.\d+\S*)$/.exec(range)?.[1];
    if (version === undefined) {
      console.error(`skip ${name}@${range} (no single version), wanted by ${at}`);
      continue;
    }
    const fits = name === 'fsevents' ? { os: ['darwin'] } : platform(name);
    if (!fits.os && !fits.cpu) {
      console.error(`no platform in the name of ${name}`);
    }
    packages[`node_modules/${name}`] = {
      version,
      cpu: fits.cpu,
      dev: pkg.dev,
      libc: fits.libc,
      optional: true,
      os: fits.os,
    };
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
if (added > 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} entries added`);
