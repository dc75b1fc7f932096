import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** What the tests ask of a service of a compose file. */
export interface ComposeService {
  readonly image: string;
  readonly container_name?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly profiles?: readonly string[];
  readonly volumes?: readonly string[];
  readonly extra_hosts?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly deploy?: { readonly resources: { readonly limits: { readonly memory?: string } } };
}

export interface ComposeFile {
  readonly name: string;
  readonly include?: readonly string[];
  readonly services?: Readonly<Record<string, ComposeService>>;
}

/** A compose file as `docker compose` reads it where no variable is set. */
export function readCompose(path: string): ComposeFile {
  const text = readFileSync(path, 'utf8');
  const name = /^name: (\S+)$/m.exec(text)?.[1] ?? '';
  return parse(withDefaults(text, name), { merge: true }) as ComposeFile;
}

/** `${NAME:-default}` is its default; the project's name is the one variable that compose sets itself. */
function withDefaults(text: string, project: string): string {
  return text.replaceAll(/\$\{COMPOSE_PROJECT_NAME(:-\w+)?\}/g, project).replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
}
