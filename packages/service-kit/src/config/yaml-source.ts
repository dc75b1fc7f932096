import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import { showName } from './assignments.js';
import type { Origin, ProblemList, Severity } from './problems.js';

/** YAML 1.2 as this product accepts it: one document, no duplicate keys, few aliases, no tags of its own. */

export const MAX_FILE_BYTES = 1_048_576;
const MAX_ALIASES = 50;
const MAX_DEPTH = 32;

// The parser's messages quote the source, which may be a secret: only their codes are used.
const SENTENCES: Readonly<Record<string, string>> = {
  BAD_INDENT: 'wrong indentation',
  TAB_AS_INDENT: 'a tab in the indentation; use blanks',
  MISSING_CHAR: 'a missing character, such as ":", a quote or a bracket',
  MULTIPLE_DOCS: 'more than one document in the file',
  MULTILINE_IMPLICIT_KEY: 'a key over more than one line; is a ":" missing?',
  BLOCK_AS_IMPLICIT_KEY: 'a nested value on the line of its key',
  BAD_DQ_ESCAPE: 'an unknown escape in a quoted text',
  BAD_ALIAS: 'an alias that cannot be used here',
  TAG_RESOLVE_FAILED: 'an unknown tag; put texts that begin with "!" in quotes',
  BAD_SCALAR_START: 'a text that begins with a reserved character; put it in quotes',
};

export class YamlFile {
  /** As the operator would name it. */
  readonly name: string;
  readonly #lines = new LineCounter();
  readonly #document: Document;
  readonly #problems: ProblemList;
  #aliases = 0;

  constructor(name: string, content: string, problems: ProblemList) {
    this.name = name;
    this.#problems = problems;
    this.#document = parseDocument(content, {
      version: '1.2',
      schema: 'core',
      lineCounter: this.#lines,
      prettyErrors: false,
      // Duplicates are found by entries(), which can name the key and both lines.
      uniqueKeys: false,
      merge: false,
      // 'silent' would also silence the error about a second document.
      logLevel: 'error',
    });
    for (const { code, pos } of [...this.#document.errors, ...this.#document.warnings]) {
      this.report(
        'error',
        this.#lineAt(pos[0]),
        undefined,
        `not valid YAML: ${SENTENCES[code] ?? 'unexpected content'}`,
      );
    }
  }

  get valid(): boolean {
    return this.#document.errors.length === 0 && this.#document.warnings.length === 0;
  }

  get root(): Node | null {
    return this.#document.contents as Node | null;
  }

  lineOf(node: Node | null | undefined): number {
    return this.#lineAt(node?.range?.[0] ?? 0);
  }

  originOf(line: number): Origin {
    return { kind: 'file', file: this.name, line };
  }

  report(severity: Severity, line: number, key: string | undefined, reason: string): void {
    this.#problems.add(severity, { origin: this.originOf(line), ...(key === undefined ? {} : { key }), reason });
  }

  /**
   * The entries of a mapping with their lines. Nothing where a mapping belongs counts as an empty one; anything else, and
   * a key that stands there twice, is reported.
   */
  entries(node: Node | null, key: string | undefined, severity: Severity): YamlEntry[] {
    const target = this.#follow(node, key, severity);
    if (target === null || (isScalar(target) && target.value === null)) return [];
    if (!isMap(target)) {
      this.report(severity, this.lineOf(node), key, 'expected a mapping of keys');
      return [];
    }
    return this.#uniqueEntries(target, key, severity);
  }

  #uniqueEntries(map: YAMLMap, key: string | undefined, severity: Severity): YamlEntry[] {
    const entries = new Map<string, YamlEntry>();
    for (const pair of map.items) {
      const keyNode = pair.key as Node;
      const name = isScalar(keyNode) ? String(keyNode.value) : '';
      const line = this.lineOf(keyNode);
      const first = entries.get(name);
      if (first === undefined) entries.set(name, { name, line, value: pair.value as Node | null });
      else {
        const full = [key, showName(name)].filter((part) => part !== undefined).join('.');
        this.report(severity, line, full, `key is set twice in this file, first in line ${first.line}`);
      }
    }
    return [...entries.values()];
  }

  /** The items of a list; undefined where the node is something else. */
  items(node: Node | null): Node[] | undefined {
    return isSeq(node) ? (node.items as Node[]) : undefined;
  }

  /** A node as a plain value. Aliases and depth are bounded, so that no small file becomes a large value. */
  plain(node: Node | null, key: string, severity: Severity, depth = 0): unknown {
    const target = this.#follow(node, key, severity);
    if (depth > MAX_DEPTH) {
      this.report(severity, this.lineOf(node), key, `nested more than ${MAX_DEPTH} deep`);
      return null;
    }
    if (isScalar(target)) return target.value;
    if (isSeq(target)) return target.items.map((item) => this.plain(item as Node, key, severity, depth + 1));
    if (isMap(target)) {
      const entries = this.#uniqueEntries(target, key, severity);
      return Object.fromEntries(entries.map(({ name, value }) => [name, this.plain(value, key, severity, depth + 1)]));
    }
    return null;
  }

  #follow(node: Node | null, key: string | undefined, severity: Severity): Node | null {
    if (!isAlias(node)) return node;
    this.#aliases += 1;
    if (this.#aliases > MAX_ALIASES) {
      if (this.#aliases === MAX_ALIASES + 1) {
        this.report(severity, this.lineOf(node), key, `more than ${MAX_ALIASES} aliases in one file`);
      }
      return null;
    }
    const target = node.resolve(this.#document) as Node | undefined;
    if (target === undefined)
      this.report(severity, this.lineOf(node), key, 'an alias to an anchor that does not stand before it');
    return target ?? null;
  }

  #lineAt(offset: number): number {
    return Math.max(1, this.#lines.linePos(offset).line);
  }
}

export interface YamlEntry {
  readonly name: string;
  readonly line: number;
  readonly value: Node | null;
}
