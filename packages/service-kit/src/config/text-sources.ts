import { type Assignment, reportUnknownKey, severityFor, showName } from './assignments.js';
import { nearest } from './nearest.js';
import type { ProblemList } from './problems.js';
import { type Children, type Environment, leavesOf } from './schema.js';
import { type SectionName, sectionNames, sectionOf } from './sections/index.js';

/** Values that come as text: environment variables and `--override`. */

const PREFIX = 'SENTINEL_';

/** `correlation_engine`, `bayesian_model.prior_alpha` -> SENTINEL_CORRELATION_ENGINE_BAYESIAN_MODEL_PRIOR_ALPHA. */
export function variableFor(section: SectionName, key: string): string {
  return `${PREFIX}${section}_${key.replaceAll('.', '_')}`.toUpperCase();
}

interface Target {
  readonly section: SectionName;
  readonly key: string;
}

/** Every variable there is. No two keys share one: the schema's test checks that. */
export function variables(): ReadonlyMap<string, Target> {
  const targets = new Map<string, Target>();
  for (const section of sectionNames) {
    for (const { key } of leavesOf(sectionOf(section).children)) {
      targets.set(variableFor(section, key), { section, key });
      if (section === 'logging') targets.set(`${PREFIX}LOG_${key.toUpperCase()}`, { section, key });
    }
  }
  return targets;
}

// What Kubernetes (and Docker links) inject for a Service named sentinel-…, such as SENTINEL_AUDIT_LEDGER_PORT.
const SERVICE_NAME = /_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?$/;
const SERVICE_URL = /^(tcp|udp|sctp):\/\//;

function isInjected(name: string, value: string): boolean {
  return SERVICE_NAME.test(name) || (name.endsWith('_PORT') && SERVICE_URL.test(value));
}

const SECTION_PREFIXES: readonly (readonly [string, SectionName])[] = [
  ...sectionNames.map((section) => [`${PREFIX}${section.toUpperCase()}_`, section] as const),
  [`${PREFIX}LOG_`, 'logging'],
];

/** Reads the variables of all sections. One that matches no section, or that Kubernetes injects, is not ours. */
export function readEnvironment(env: Environment, own: SectionName, problems: ProblemList): Assignment[] {
  const known = variables();
  return Object.entries(env).flatMap(([variable, text]) => {
    if (text === undefined || !variable.startsWith(PREFIX)) return [];
    const origin = { kind: 'environment', variable } as const;
    const target = known.get(variable);
    if (target !== undefined) return [{ ...target, origin, raw: { kind: 'text', text } } as const];
    const section = SECTION_PREFIXES.find(([prefix]) => variable.startsWith(prefix))?.[1];
    if (section === undefined || isInjected(variable, text)) return [];
    const suggestion = nearest(variable, known.keys());
    problems.add(severityFor(section, own), {
      origin,
      reason: `matches no key of section ${section}`,
      ...(suggestion === undefined ? {} : { nearest: suggestion }),
    });
    return [];
  });
}

/** Reads `key=value` texts, relative to the section of the service, or to `logging.`. */
export function readOverrides(overrides: readonly string[], own: SectionName, problems: ProblemList): Assignment[] {
  return overrides.flatMap((override) => {
    const split = override.indexOf('=');
    const written = (split < 0 ? override : override.slice(0, split)).trim();
    const origin = { kind: 'override', key: showName(written) } as const;
    if (split < 0) {
      problems.add('error', { origin, reason: 'expected key=value' });
      return [];
    }
    const inLogging = written.startsWith('logging.');
    const section = inLogging ? 'logging' : own;
    const key = inLogging ? written.slice('logging.'.length) : written;
    const all = sectionOf(section).children;
    if (leavesOf(all).some((candidate) => candidate.key === key)) {
      return [{ section, key, origin, raw: { kind: 'text', text: override.slice(split + 1) } } as const];
    }
    const { parent, name, siblings } = locate(all, key);
    const group = Object.hasOwn(siblings, name) ? siblings[name] : undefined;
    if (group?.kind === 'group') {
      const reason = `names a group; set one of its keys: ${Object.keys(group.children).join(', ')}`;
      problems.add('error', { origin, key: `${section}.${key}`, reason });
      return [];
    }
    reportUnknownKey(problems, 'error', { origin, section, parent, name }, siblings, all);
    return [];
  });
}

/** The deepest group that exists on the way to `key`, and what is written below it. */
function locate(all: Children, key: string) {
  let siblings = all;
  const path = key.split('.');
  const parents: string[] = [];
  while (path.length > 1) {
    const child = Object.hasOwn(siblings, path[0] ?? '') ? siblings[path[0] ?? ''] : undefined;
    if (child?.kind !== 'group') break;
    siblings = child.children;
    parents.push(path.shift() ?? '');
  }
  return { parent: parents.join('.'), name: path.join('.'), siblings };
}
