// Loader hooks that put one break into the built code as it is loaded.
let mutant;
let built;

export function initialize(data) {
  mutant = data;
  built = builtFile(data.file);
}

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  if (!url.endsWith(`/${built}`)) return loaded;
  const source = String(loaded.source);
  if (source.split(mutant.find).length !== 2) {
    throw new Error(`The mutant ${mutant.name} does not apply: its text is not in ${built} once.`);
  }
  return { ...loaded, source: source.replace(mutant.find, () => mutant.replace) };
}

/** What a source is built to: packages leave `src` out, the simulation does not. */
function builtFile(file) {
  const [, workspace, path] = /^(packages\/[^/]+|tests\/simulation)\/src\/(.*)\.ts$/.exec(file);
  return `${workspace}/dist/${workspace.startsWith('tests') ? 'src/' : ''}${path}.js`;
}
