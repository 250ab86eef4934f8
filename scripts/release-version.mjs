// `npm run version`: applies the changesets, brings the lock file in step, and freezes the protocol's baseline.
import { must } from './prepare.mjs';

must('npx', ['--no-install', 'changeset', 'version']);
must('npm', ['install', '--package-lock-only', '--no-audit', '--no-fund']);
must('node', ['scripts/complete-lockfile.mjs']);
must('npx', ['--no-install', 'turbo', 'run', 'build', '--filter=@runwire/protocol']);
must('node', ['scripts/release-protocol.mjs']);
