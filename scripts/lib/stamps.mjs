// What a stage read the last time it succeeded, as one hash; a stage whose hash has not changed is not run again.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const IGNORED = new Set([
  'node_modules',
  'dist',
  'build',
  'gen',
  'coverage',
  '__pycache__',
  '.nx',
  '.git',
  '.sentinel',
]);

/**
 * Every file below `folders` that `wanted` accepts, sorted, relative to root.
 * @param {string} root @param {string[]} folders @param {(name: string) => boolean} wanted
 */
export function filesBelow(root, folders, wanted) {
  const found = [];
  const visit = (folder) => {
    for (const entry of entriesOf(path.join(root, folder))) {
      const relative = path.join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!IGNORED.has(entry.name)) visit(relative);
      } else if (wanted(entry.name)) found.push(relative);
    }
  };
  for (const folder of folders) visit(folder);
  return found.sort();
}

function entriesOf(folder) {
  try {
    return fs.readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

/** Hash over path, size and modification time: cheap, for trees of sources. */
export function statHash(root, files, salt) {
  const hash = createHash('sha256').update(salt);
  for (const file of files) {
    const stat = fs.statSync(path.join(root, file));
    hash.update(`\0${file}\0${stat.size}\0${stat.mtimeMs}`);
  }
  return hash.digest('hex');
}

/** Hash over path and content: for the few files whose touch alone must not cost an installation. */
export function contentHash(root, files, salt) {
  const hash = createHash('sha256').update(salt);
  for (const file of files) hash.update(`\0${file}\0`).update(fs.readFileSync(path.join(root, file)));
  return hash.digest('hex');
}

export function readStamp(folder, stage) {
  try {
    return fs.readFileSync(path.join(folder, stage), 'utf8');
  } catch {
    return '';
  }
}

export function writeStamp(folder, stage, hash) {
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, stage), hash);
}
