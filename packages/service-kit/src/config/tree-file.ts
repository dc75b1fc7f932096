import { resolve } from 'node:path';
import { showName } from './assignments.js';
import { readText } from './file-source.js';
import type { Format } from './formats.js';
import { ProblemList } from './problems.js';
import { deepFreeze } from './resolve.js';
import type { Children, Group, Values } from './schema.js';
import { type YamlEntry, YamlFile } from './yaml-source.js';
import { readValues } from './yaml-values.js';

/** Values for keys that a file leaves out, in place of those of the schema. */
export type Given<C> = {
  readonly [K in keyof Values<C>]?: Values<C>[K] extends Readonly<Record<string, unknown>>
    ? Partial<Values<C>[K]>
    : Values<C>[K];
};

/**
 * Reads a YAML file that holds one tree of keys, strictly.
 * @param given what stands where the file says nothing, before the defaults
 * @throws ConfigError listing everything that is wrong, with file, line and key
 */
export function loadTree<C extends Children>(
  file: string,
  tree: Group<C>,
  given: Given<C> = {},
  cwd: string = process.cwd(),
): Values<C> {
  const problems = new ProblemList();
  const content = readText(resolve(cwd, file), file, problems);
  const yaml = content === undefined ? undefined : new YamlFile(file, content, problems);
  const entries = yaml?.valid === true ? yaml.entries(yaml.root, undefined, 'error') : [];
  const found = yaml === undefined ? {} : new TreeReader(yaml, problems).read(tree.children, entries, '');
  problems.throwIfAny();
  return deepFreeze(complete(tree.children, [found, given as Found])) as Values<C>;
}

interface Found {
  readonly [name: string]: unknown;
}

class TreeReader {
  readonly #yaml: YamlFile;
  readonly #problems: ProblemList;

  constructor(yaml: YamlFile, problems: ProblemList) {
    this.#yaml = yaml;
    this.#problems = problems;
  }

  read(children: Children, entries: readonly YamlEntry[], prefix: string): Found {
    const formats: Record<string, Format<unknown>> = {};
    for (const [name, node] of Object.entries(children)) if (node.kind === 'leaf') formats[name] = node.format;
    const groups = Object.entries(children).filter(([, node]) => node.kind === 'group');
    const names = groups.map(([name]) => name);
    const leaves = entries.filter(({ name }) => !names.includes(name));
    const values = readValues(this.#yaml, leaves, { formats, prefix, required: [], also: names }, 1, this.#problems);
    const below = entries.flatMap(({ name, value }) => {
      const node = names.includes(name) ? children[name] : undefined;
      if (node?.kind !== 'group') return [];
      const key = `${prefix}${showName(name)}`;
      return [[name, this.read(node.children, this.#yaml.entries(value, key, 'error'), `${key}.`)] as const];
    });
    return { ...values, ...Object.fromEntries(below) };
  }
}

/** Of each key the first of the sources that has it, else its default. */
function complete(children: Children, sources: readonly (Found | undefined)[]): Found {
  return Object.fromEntries(
    Object.entries(children).map(([name, node]) => {
      const values = sources.map((source) => source?.[name]);
      if (node.kind === 'group') return [name, complete(node.children, values as (Found | undefined)[])];
      return [name, values.find((value) => value !== undefined) ?? node.default];
    }),
  );
}
