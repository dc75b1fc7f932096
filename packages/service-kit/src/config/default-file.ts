import type { Children, Group, Leaf } from './schema.js';
import { sectionNames, sectionOf } from './sections/index.js';

/** Makes config/sentinel.default.yaml from the schema, so that neither can say what the other does not. */

const HEADER = `# SENTINEL, every setting with its default. Made from the schema in packages/service-kit/src/config/sections
# by \`node packages/service-kit/dist/config/write-default-file.js\`; a test fails while both differ.
#
# Copy this file to /etc/sentinel/config/sentinel.yaml and keep what you change; what is left out keeps its default.
# Later wins: this file, sentinel.<environment>.yaml beside it, SENTINEL_<SECTION>_<KEY> variables (nested keys
# joined by "_"), --override key=value. Relative paths start at the folder of the configuration file.
# "SIGHUP" in a comment: the running service takes a change when it gets that signal; others need a restart.
# "secret": never shown; give it here, in the variable, or as a file by the key that ends in _path.
`;

const WIDTH = 118;

export function renderDefaultFile(): string {
  const parts = sectionNames.map((name) => renderGroup(name, sectionOf(name), 0).join('\n'));
  return `${HEADER}\n${parts.join('\n\n')}\n`;
}

/** A file of one tree of keys, such as that of thresholds, under a header of its own. */
export function renderTree(header: string, { children }: Group<Children>): string {
  const parts = Object.entries(children).map(([name, node]) =>
    (node.kind === 'leaf' ? renderLeaf(name, node, 0) : renderGroup(name, node, 0)).join('\n'),
  );
  return `${header}\n${parts.join('\n\n')}\n`;
}

function renderGroup(name: string, group: Group<Children>, depth: number): string[] {
  const indent = '  '.repeat(depth);
  const children = Object.entries(group.children).flatMap(([child, node]) =>
    node.kind === 'leaf' ? renderLeaf(child, node, depth + 1) : renderGroup(child, node, depth + 1),
  );
  return [...comment(group.doc, indent), `${indent}${name}:`, ...children];
}

function renderLeaf(name: string, leaf: Leaf<unknown>, depth: number): string[] {
  const indent = '  '.repeat(depth);
  return [...comment(describeLeaf(leaf), indent), `${indent}${name}: ${renderValue(leaf.default)}`];
}

/** Meaning, then what may be written, unit, default, source, and how it changes. */
export function describeLeaf(leaf: Leaf<unknown>): string {
  const facts = [
    leaf.format.expects,
    leaf.unit === undefined ? undefined : `unit: ${leaf.unit}`,
    `default: ${renderValue(leaf.default)}`,
    `source: ${leaf.source}`,
    leaf.secret ? 'secret' : undefined,
    leaf.reloadable ? 'SIGHUP' : undefined,
    leaf.inert ? 'checked, not acted on by this version' : undefined,
  ];
  return `${leaf.doc} (${facts.filter((fact) => fact !== undefined).join('; ')})`;
}

/** JSON is YAML; only what YAML reads the same without quotes goes without. */
function renderValue(value: unknown): string {
  if (
    typeof value === 'string' &&
    /^[a-z][a-z0-9_-]*$/i.test(value) &&
    !/^(true|false|null|yes|no|on|off)$/i.test(value)
  ) {
    return value;
  }
  return JSON.stringify(value);
}

function comment(sentence: string, indent: string): string[] {
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of sentence.split(' ')) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
