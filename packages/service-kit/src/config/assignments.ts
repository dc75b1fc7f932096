import { nearest } from './nearest.js';
import type { Origin, ProblemList, Severity } from './problems.js';
import { type Children, leavesOf } from './schema.js';
import type { SectionName } from './sections/index.js';

/** A raw value that some place gives to a key that exists. The first of the three types of a configuration. */
export interface Assignment {
  readonly section: SectionName;
  /** Dotted, relative to the section. */
  readonly key: string;
  readonly origin: Origin;
  readonly raw: { readonly kind: 'yaml'; readonly value: unknown } | { readonly kind: 'text'; readonly text: string };
}

/**
 * Mistakes in the section of the running service, in logging and at the top of a file are errors. Mistakes in the
 * sections of other services are warnings: one file serves all, and a key that only a newer engine knows must not
 * stop an older agent.
 */
export function severityFor(section: SectionName, own: SectionName): Severity {
  return section === own || section === 'logging' ? 'error' : 'warning';
}

const SAFE_NAME = /^[A-Za-z_.-]{1,64}$/;

/** A name that an operator wrote, for an error. No key has digits: a name with some may be a secret that lost its place. */
export function showName(name: string): string {
  return SAFE_NAME.test(name) ? name : '(an unreadable name)';
}

const MAX_LISTED = 12;

/** Reports a key that does not exist, with the nearest that does: a sibling, or one deeper in the section. */
export function reportUnknownKey(
  problems: ProblemList,
  severity: Severity,
  place: { readonly origin: Origin; readonly section: SectionName; readonly parent: string; readonly name: string },
  siblings: Children,
  all: Children,
): void {
  const shown = showName(place.name);
  const key = [place.section, place.parent, shown].filter((part) => part !== '').join('.');
  const suggestion = suggest(place, siblings, all);
  const names = Object.keys(siblings);
  const listed = suggestion === undefined && names.length <= MAX_LISTED ? `; valid here: ${names.join(', ')}` : '';
  problems.add(severity, {
    origin: place.origin,
    key,
    reason: `unknown key${listed}`,
    ...(suggestion === undefined ? {} : { nearest: suggestion }),
  });
}

function suggest(
  { origin, parent, name }: { readonly origin: Origin; readonly parent: string; readonly name: string },
  siblings: Children,
  all: Children,
): string | undefined {
  const sibling = nearest(name, Object.keys(siblings));
  // A file shows the parent by its indentation; on a command line the whole path is written.
  if (sibling !== undefined) return origin.kind === 'override' && parent !== '' ? `${parent}.${sibling}` : sibling;
  const keys = leavesOf(all).map(({ key }) => key);
  return keys.find((key) => key === name || key.endsWith(`.${name}`)) ?? nearest(name, keys);
}
