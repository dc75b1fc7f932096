import { showName } from './assignments.js';
import { type Format, FormatError } from './formats.js';
import { nearest } from './nearest.js';
import type { ProblemList } from './problems.js';
import type { YamlEntry, YamlFile } from './yaml-source.js';

/** What one mapping of a YAML file may hold. */
export interface ValueKeys {
  readonly formats: Readonly<Record<string, Format<unknown>>>;
  /** Of the full key, such as `probes.`. */
  readonly prefix: string;
  readonly required: readonly string[];
  /** Other valid keys of the mapping, which the caller reads. */
  readonly also: readonly string[];
}

/**
 * Checks the keys of one mapping; reports what is unknown, wrong or missing. A wrong value is undefined.
 * @param line of the mapping, for what is missing
 */
export function readValues(
  yaml: YamlFile,
  fields: readonly YamlEntry[],
  { formats, prefix, required, also }: ValueKeys,
  line: number,
  problems: ProblemList,
): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const field of fields) {
    const format = Object.hasOwn(formats, field.name) ? formats[field.name] : undefined;
    const place = { origin: yaml.originOf(field.line), key: `${prefix}${showName(field.name)}` };
    if (format === undefined) {
      const suggestion = nearest(field.name, [...Object.keys(formats), ...also]);
      problems.add('error', {
        ...place,
        reason: 'unknown key',
        ...(suggestion === undefined ? {} : { nearest: suggestion }),
      });
      continue;
    }
    try {
      values[field.name] = format.check(yaml.plain(field.value, place.key, 'error'));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      problems.add('error', { ...place, reason: error.message });
      values[field.name] = undefined;
    }
  }
  for (const name of required) {
    if (!(name in values)) yaml.report('error', line, `${prefix}${name}`, 'missing');
  }
  return values;
}
