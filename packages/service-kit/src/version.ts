import { readFileSync } from 'node:fs';

/** Version of the release: all packages of the repository carry one. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { readonly version: string }
).version;
