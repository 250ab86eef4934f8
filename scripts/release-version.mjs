// `npm run version`: applies the changesets, brings the lock file in step, and freezes the protocol's baseline.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { must, ROOT, say } from './prepare.mjs';

must('npx', ['--no-install', 'changeset', 'version']);
must('npm', ['install', '--package-lock-only', '--no-audit', '--no-fund']);
must('node', ['scripts/complete-lockfile.mjs']);
must('npx', ['--no-install', 'turbo', 'run', 'build', '--filter=@runwire/protocol']);
const { version } = JSON.parse(readFileSync(join(ROOT, 'packages/protocol/package.json'), 'utf8'));
if (existsSync(join(ROOT, `packages/protocol/released/v${version}.json`))) {
  say(`the protocol is still ${version}: its baseline stands`);
} else {
  must('node', ['scripts/release-protocol.mjs']);
}
