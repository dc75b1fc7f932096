import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where a program lies on the PATH; null = nowhere. */
export function onPath(program: string, path = process.env.PATH ?? ''): string | null {
  const places = path.split(delimiter).filter((folder) => folder !== '');
  return places.map((folder) => join(folder, program)).find(isProgram) ?? null;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
