// tsc -b builds what the root tsconfig.json lists, in the order that each project's references give.
// This says where one of them differs from the package.json files, and ends with 1; `--write` mends the root's list first.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './paths.mjs';

const readJson = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));

/** @returns {string[]} every workspace folder with a tsconfig.json, relative to `root`, sorted */
export function projects(root = ROOT) {
  const packages = fs.readdirSync(path.join(root, 'packages')).map((name) => `packages/${name}`);
  return [...packages, 'native-probes', 'tests']
    .filter((folder) => fs.existsSync(path.join(root, folder, 'tsconfig.json')))
    .sort();
}

/** @returns {string[]} one sentence per project that is missing from, or wrongly in, a list of references */
export function referenceFaults(root = ROOT) {
  const known = projects(root);
  const byName = new Map(known.map((folder) => [readJson(path.join(root, folder, 'package.json')).name, folder]));
  return [...rootFaults(root, known), ...known.flatMap((folder) => projectFaults(root, folder, byName))];
}

function rootFaults(root, known) {
  const listed = referencesOf(root, '.');
  return [
    ...known.filter((folder) => !listed.includes(folder)).map((folder) => `tsconfig.json does not list ${folder}`),
    ...listed
      .filter((folder) => !known.includes(folder))
      .map((folder) => `tsconfig.json lists ${folder}, which is no project`),
  ];
}

function projectFaults(root, folder, byName) {
  const { dependencies = {}, devDependencies = {} } = readJson(path.join(root, folder, 'package.json'));
  const needed = Object.keys({ ...dependencies, ...devDependencies }).flatMap((name) => byName.get(name) ?? []);
  const listed = referencesOf(root, folder);
  return needed
    .filter((other) => !listed.includes(other))
    .map((other) => `${folder}/tsconfig.json does not reference ${other}`);
}

function referencesOf(root, folder) {
  const { references = [] } = readJson(path.join(root, folder, 'tsconfig.json'));
  return references.map((reference) => path.normalize(path.join(folder, reference.path)));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (process.argv.includes('--write')) writeRoot();
  const faults = referenceFaults();
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

function writeRoot() {
  const references = projects().map((folder) => ({ path: folder }));
  fs.writeFileSync(path.join(ROOT, 'tsconfig.json'), `${JSON.stringify({ files: [], references }, undefined, 2)}\n`);
}
