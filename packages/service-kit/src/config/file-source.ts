import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Node } from 'yaml';
import { type Assignment, reportUnknownKey, severityFor, showName } from './assignments.js';
import { nearest } from './nearest.js';
import type { ProblemList } from './problems.js';
import type { Children } from './schema.js';
import { type SectionName, sectionNames, sectionOf } from './sections/index.js';
import { MAX_FILE_BYTES, YamlFile } from './yaml-source.js';

/** Reads one YAML file of all sections into assignments. Every mistake goes into `problems` with its line. */
export function readConfigFile(file: string, cwd: string, own: SectionName, problems: ProblemList): Assignment[] {
  const content = readText(resolve(cwd, file), file, problems);
  if (content === undefined) return [];
  const yaml = new YamlFile(file, content, problems);
  if (!yaml.valid) return [];
  const reader = new SectionReader(yaml, problems);
  return yaml.entries(yaml.root, undefined, 'error').flatMap(({ name, line, value }) => {
    const section = sectionNames.find((candidate) => candidate === name);
    if (section !== undefined) return reader.read(section, own, value);
    const suggestion = nearest(name, sectionNames);
    const reason = `unknown section${suggestion === undefined ? `; valid: ${sectionNames.join(', ')}` : ''}`;
    const hint = suggestion === undefined ? {} : { nearest: suggestion };
    problems.add('error', { origin: yaml.originOf(line), key: showName(name), reason, ...hint });
    return [];
  });
}

class SectionReader {
  readonly #yaml: YamlFile;
  readonly #problems: ProblemList;

  constructor(yaml: YamlFile, problems: ProblemList) {
    this.#yaml = yaml;
    this.#problems = problems;
  }

  read(section: SectionName, own: SectionName, node: Node | null): Assignment[] {
    const all = sectionOf(section).children;
    const severity = severityFor(section, own);

    const walk = (children: Children, parent: string, mapping: Node | null): Assignment[] =>
      this.#yaml.entries(mapping, [section, parent].filter(Boolean).join('.'), severity).flatMap((entry) => {
        const child = Object.hasOwn(children, entry.name) ? children[entry.name] : undefined;
        const origin = this.#yaml.originOf(entry.line);
        if (child === undefined) {
          reportUnknownKey(this.#problems, severity, { origin, section, parent, name: entry.name }, children, all);
          return [];
        }
        const key = parent === '' ? entry.name : `${parent}.${entry.name}`;
        if (child.kind === 'group') return walk(child.children, key, entry.value);
        const value = this.#yaml.plain(entry.value, `${section}.${key}`, severity);
        return [{ section, key, origin, raw: { kind: 'yaml', value } }];
      });

    return walk(all, '', node);
  }
}

/** A small text file; what prevents reading becomes a problem. */
export function readText(path: string, shown: string, problems: ProblemList): string | undefined {
  try {
    if (statSync(path).size > MAX_FILE_BYTES) {
      problems.add('error', {
        reason: `${shown}: larger than ${MAX_FILE_BYTES} bytes, so it is not a configuration file`,
      });
      return undefined;
    }
    return readFileSync(path, 'utf8');
  } catch (error) {
    problems.add('error', { reason: `${shown}: cannot read the configuration file (${errorCode(error)})` });
    return undefined;
  }
}

/** ENOENT and the like; their messages repeat the path, which the caller names anyway. */
export function errorCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unknown error';
}
