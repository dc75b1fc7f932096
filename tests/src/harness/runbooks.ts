import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RUNBOOKS_FOLDER } from '@sentinel/monitoring';

export interface Runbook {
  readonly alert: string;
  /** Lines of "How to look", to be typed as they are once the words in capitals are replaced. */
  readonly looks: readonly string[];
  /** Commands of the product in the text. */
  readonly mentions: readonly string[];
}

export function readRunbooks(): Runbook[] {
  const pages = readdirSync(RUNBOOKS_FOLDER).filter((name) => name !== 'README.md');
  return pages.sort().map((name) => {
    const text = readFileSync(join(RUNBOOKS_FOLDER, name), 'utf8');
    const [, look = ''] = /\n## How to look\n([\s\S]*?)\n## /.exec(text) ?? [];
    return {
      alert: name.replace('.md', ''),
      looks: [...look.matchAll(/^ {4}(.+)$/gm)].map(([, line]) => line ?? ''),
      mentions: [...text.matchAll(/`(sentinel(?:-[a-z]+)* [^`]+)`/g)].map(([, command]) => command ?? ''),
    };
  });
}
