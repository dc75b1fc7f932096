import fs from 'node:fs';
import path from 'node:path';

/** @returns {Map<string, string>} compiled benchmark modules by name */
export function findBenches(root) {
  const packages = fs.readdirSync(path.join(root, 'packages')).map((name) => path.join(root, 'packages', name));
  const folders = [path.join(root, 'tests'), ...packages].map((folder) => path.join(folder, 'dist', 'bench'));
  const found = folders.filter((folder) => fs.existsSync(folder)).flatMap(modulesIn);
  return new Map(found.map((file) => [path.basename(file, '.js'), file]));
}

function modulesIn(folder) {
  const isBench = (name) => name.endsWith('.js') && !name.endsWith('.test.js');
  return fs
    .readdirSync(folder)
    .filter(isBench)
    .map((name) => path.join(folder, name));
}
