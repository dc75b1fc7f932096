import convict from 'convict';
import { type Assignment, severityFor } from './assignments.js';
import { FormatError } from './formats.js';
import type { Origin, ProblemList } from './problems.js';
import { type Children, type Environment, type Leaf, leavesOf } from './schema.js';
import { type SectionName, sectionOf } from './sections/index.js';

/** A value that passed its format, with where it was set. */
export interface Setting {
  readonly key: string;
  readonly leaf: Leaf<unknown>;
  readonly value: unknown;
  readonly origin: Origin;
  /** Height of the layer that set it: default, base file, overlay, environment, override. */
  readonly layer: number;
}

export type Settings = ReadonlyMap<string, Setting>;

/**
 * Decides the value of every key of `section`: the last layer that sets it wins. Every layer's value is checked, also one
 * that a higher layer replaces, because a mistake in a file is a mistake before somebody removes the override.
 */
export function settle(
  section: SectionName,
  own: SectionName,
  layers: readonly (readonly Assignment[])[],
  context: { readonly env: Environment; readonly baseFolder: string },
  problems: ProblemList,
): Settings {
  const leaves = new Map(leavesOf(sectionOf(section).children).map(({ key, leaf }) => [key, leaf]));
  const settings = new Map<string, Setting>();
  for (const [key, leaf] of leaves) {
    const value = leaf.format.resolve?.(leaf.default, context.baseFolder) ?? leaf.default;
    settings.set(key, { key, leaf, value, origin: { kind: 'default' }, layer: 0 });
  }
  for (const [index, layer] of layers.entries()) {
    const set = new Map<string, Origin>();
    for (const assignment of layer.filter((candidate) => candidate.section === section)) {
      const leaf = leaves.get(assignment.key);
      if (leaf === undefined) continue;
      reportAliasClash(set.get(assignment.key), assignment, problems);
      set.set(assignment.key, assignment.origin);
      const setting = checked(assignment, leaf, index + 1, context.baseFolder, own, problems);
      if (setting !== undefined) settings.set(assignment.key, setting);
    }
  }
  for (const setting of settings.values())
    settings.set(setting.key, withFallback(setting, section, own, context.env, problems));
  return settings;
}

/** SENTINEL_LOG_LEVEL and SENTINEL_LOGGING_LEVEL are two names of one key: setting both would hide one. */
function reportAliasClash(first: Origin | undefined, second: Assignment, problems: ProblemList): void {
  if (first?.kind !== 'environment' || second.origin.kind !== 'environment') return;
  const key = `${second.section}.${second.key}`;
  problems.add('error', { origin: second.origin, key, reason: `is also set by ${first.variable}; keep one of them` });
}

function checked(
  assignment: Assignment,
  leaf: Leaf<unknown>,
  layer: number,
  baseFolder: string,
  own: SectionName,
  problems: ProblemList,
): Setting | undefined {
  const { section, key, origin, raw } = assignment;
  try {
    const value = raw.kind === 'text' ? leaf.format.parse(raw.text) : leaf.format.check(raw.value);
    refuseOnCommandLine(leaf, value, origin);
    return { key, leaf, value: leaf.format.resolve?.(value, baseFolder) ?? value, origin, layer };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    // What was found may be the secret itself.
    const reason = leaf.secret ? `expected ${error.expected}` : error.message;
    problems.add(severityFor(section, own), { origin, key: `${section}.${key}`, reason });
    return undefined;
  }
}

/** Command lines are visible to every user of the machine. Values that show nothing secret, such as `embedded://DIR`, may pass. */
function refuseOnCommandLine(leaf: Leaf<unknown>, value: unknown, origin: Origin): void {
  if (!leaf.secret || origin.kind !== 'override' || isUnset(value)) return;
  if (leaf.format.reveal?.(value) === value) return;
  throw new FormatError(`no secret on the command line; set ${leaf.fileKey} or the environment variable`);
}

/** Empty text, list or mapping: what a secret or a name has while nobody set it. */
export function isUnset(value: unknown): boolean {
  if (value === '') return true;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function withFallback(
  setting: Setting,
  section: SectionName,
  own: SectionName,
  env: Environment,
  problems: ProblemList,
): Setting {
  if (setting.leaf.fallback === undefined || !isUnset(setting.value)) return setting;
  try {
    const { value, from } = setting.leaf.fallback(env);
    return { ...setting, value, origin: { kind: 'fallback', from } };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    problems.add(severityFor(section, own), { key: `${section}.${setting.key}`, reason: error.message });
    return setting;
  }
}

/**
 * Puts settled values into the shape of the section and lets convict validate the whole strictly once more: a value that
 * got past its format, a missing key or one too many would be a fault of this program.
 */
export function assemble(children: Children, settings: Settings): unknown {
  const store = convict<Record<string, unknown>>(convictSchema(children) as convict.Schema<Record<string, unknown>>, {
    env: {},
    args: [],
  });
  for (const { key, value } of settings.values()) store.set(key, value);
  store.validate({ allowed: 'strict', output: () => undefined });
  return deepFreeze(store.getProperties());
}

/** Formats are functions, so that convict coerces nothing by a type name. */
function convictSchema(children: Children): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(children).map(([name, node]) => {
      if (node.kind === 'group') return [name, convictSchema(node.children)];
      const { doc, secret: sensitive } = node;
      return [
        name,
        { doc, default: node.default, sensitive, format: (value: unknown) => void node.format.check(value) },
      ];
    }),
  );
}

export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
