// Gathers the API models that api-check wrote, for api-documenter.
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';

rmSync('temp/api', { recursive: true, force: true });
mkdirSync('temp/api', { recursive: true });
for (const name of readdirSync('packages')) {
  cpSync(`packages/${name}/temp/${name}.api.json`, `temp/api/${name}.api.json`);
}
