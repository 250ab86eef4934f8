// `npm start`: from a fresh clone to a running server.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { installDependencies, must, ROOT, requireNode, say } from './prepare.mjs';

requireNode();
installDependencies();
say('building (turbo; what has not changed comes from its cache)');
must('npx', ['--no-install', 'turbo', 'run', 'build', '--output-logs=errors-only', '--log-order=grouped'], {
  env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' },
  stdio: ['inherit', 'ignore', 'inherit'],
});
say('starting the server');
const server = spawn(process.execPath, [join(ROOT, 'apps/server/dist/main.js'), ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: 'inherit',
  env: { LOG_LEVEL: 'warn', ...process.env },
});
// A terminal sends Ctrl+C to the whole group; a supervisor sends SIGTERM to this process alone.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => server.kill('SIGTERM'));
server.on('exit', (code) => process.exit(code ?? 1));
