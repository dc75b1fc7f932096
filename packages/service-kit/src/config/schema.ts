import type { Format } from './formats.js';
import { optionalPath } from './places.js';

/** What a key of the configuration is, as data: the reader, `--print-config` and the default file are all made from it. */
export interface Leaf<T> {
  readonly kind: 'leaf';
  readonly format: Format<T>;
  readonly default: T;
  /** Meaning, for an operator who reads the default file. One or more sentences. */
  readonly doc: string;
  readonly unit?: string;
  /** Where the default comes from. */
  readonly source: string;
  /** SIGHUP may change it; everything else needs a restart. */
  readonly reloadable: boolean;
  readonly secret: boolean;
  /** Checked, but nothing acts on it in this version; setting it makes a warning. */
  readonly inert: boolean;
  /** For a secret: the name of the sibling key that names a file with the value. */
  readonly fileKey?: string;
  /** For a `…_path` key: the name of the sibling secret that it fills. */
  readonly fillsKey?: string;
  /** The file named must be readable: always when set, or while the sibling key with this name is true. */
  readonly readable?: Readability;
  /** Taken when the value is empty. */
  readonly fallback?: (env: Environment) => Fallback<T>;
}

/** `late`: a file that is not there yet is a warning, since whoever reads it looks again. */
export type Readability = 'always' | { readonly whileSibling: string; readonly late?: boolean };

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Fallback<T> {
  readonly value: T;
  /** Shown as the origin. */
  readonly from: string;
}

export interface Group<C extends Children> {
  readonly kind: 'group';
  readonly doc: string;
  readonly children: C;
}

export type Children = { readonly [name: string]: Leaf<unknown> | Group<Children> };

/** The typed, frozen values of a group. */
export type Values<C> = {
  readonly [K in keyof C]: C[K] extends Leaf<infer T> ? T : C[K] extends Group<infer D> ? Values<D> : never;
};

export type Report = (key: string, reason: string) => void;

export interface CheckContext {
  /** `--insecure` was given. */
  readonly insecure: boolean;
}

export interface Section<C extends Children> extends Group<C> {
  /** Rules that involve more than one key. */
  check?(values: Values<C>, report: Report, context: CheckContext): void;
}

/** A section whose value types do not matter to the caller. */
export type AnySection = Group<Children> & {
  check?(values: unknown, report: Report, context: CheckContext): void;
};

interface LeafSpec<T> {
  readonly format: Format<T>;
  readonly default: NoInfer<T>;
  readonly doc: string;
  readonly source: string;
  readonly unit?: string;
  readonly reloadable?: boolean;
  readonly inert?: boolean;
  readonly readable?: Readability;
  readonly fallback?: (env: Environment) => Fallback<T>;
}

export function leaf<T>(spec: LeafSpec<T>): Leaf<T> {
  return { kind: 'leaf', reloadable: false, inert: false, secret: false, ...spec };
}

export function group<const C extends Children>(doc: string, children: C): Group<C> {
  return { kind: 'group', doc, children };
}

export function section<const C extends Children>(
  doc: string,
  children: C,
  check?: (values: Values<C>, report: Report, context: CheckContext) => void,
): Section<C> {
  return check === undefined ? { kind: 'group', doc, children } : { kind: 'group', doc, children, check };
}

type Secret<K extends string, T> = { readonly [P in K]: Leaf<T> } & { readonly [P in `${K}_path`]: Leaf<string> };

/** A secret and its twin `<key>_path`, so that every secret may come by value or by file. */
export function secret<K extends string, T>(key: K, spec: LeafSpec<T>): Secret<K, T> {
  const fileKey = `${key}_path`;
  const value: Leaf<T> = { ...leaf(spec), secret: true, fileKey };
  const path: Leaf<string> = {
    ...leaf({
      format: optionalPath,
      default: '',
      doc: `File that holds ${key}, in place of the value itself. Only its owner may write it.`,
      source: 'every secret may come by file',
      reloadable: spec.reloadable ?? false,
      inert: spec.inert ?? false,
    }),
    fillsKey: key,
  };
  return { [key]: value, [fileKey]: path } as unknown as Secret<K, T>;
}

/** Marks every key below as checked but not yet acted on. */
export function inert<C extends Children>(children: C): C {
  return Object.fromEntries(
    Object.entries(children).map(([name, node]) => [
      name,
      node.kind === 'leaf' ? { ...node, inert: true } : { ...node, children: inert(node.children) },
    ]),
  ) as C;
}

export function inertGroup<const C extends Children>(doc: string, children: C): Group<C> {
  return group(doc, inert(children));
}

export interface KeyedLeaf {
  /** Dotted, relative to the section. */
  readonly key: string;
  readonly leaf: Leaf<unknown>;
}

/** Every leaf below `children`, depth first, in the order of declaration. */
export function leavesOf(children: Children, prefix = ''): KeyedLeaf[] {
  return Object.entries(children).flatMap(([name, node]) => {
    const key = `${prefix}${name}`;
    return node.kind === 'leaf' ? [{ key, leaf: node }] : leavesOf(node.children, `${key}.`);
  });
}

/** The dotted key of a sibling: `tls.cert_file` and `enabled` make `tls.enabled`. */
export function siblingKey(key: string, name: string): string {
  const dot = key.lastIndexOf('.');
  return dot < 0 ? name : `${key.slice(0, dot)}.${name}`;
}
