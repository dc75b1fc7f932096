import { resolve } from 'node:path';
import { readText } from './file-source.js';
import { integer, real } from './formats.js';
import { ProblemList } from './problems.js';
import { deepFreeze } from './resolve.js';
import { probeFamilies } from './schedule.js';
import { YamlFile } from './yaml-source.js';
import { readValues } from './yaml-values.js';

/** What an operator may tune of how a wrong result is looked into. None of it decides what is wrong: bits do. */
export interface ProbeTolerances {
  /** Other SMs that run the seed of a mismatch before it is reported. */
  readonly siblings: number;
  /** Times that a failing SM runs the seed of its mismatch again before it is reported. */
  readonly reruns: number;
  /** Share of a GPU's SMs that must reproduce the known answers of a family, else the family is not scheduled there. */
  readonly selfTestQuorum: number;
}

export const DEFAULT_TOLERANCES: ProbeTolerances = { siblings: 16, reruns: 1, selfTestQuorum: 0.5 };

const FORMATS = { siblings: integer(2, 1024), reruns: integer(1, 16), self_test_quorum: real(0.01, 1) };

const TOLERANCE = /toleran|ulp|epsilon|rtol|atol|max_error|max_diff/i;

const NO_TOLERANCE =
  'SENTINEL compares bits: results of a probe are equal to the expected ones or wrong, and a margin would hide the faults that it looks for';

/**
 * Reads the file of tolerances strictly. A margin for results is refused: there is none.
 * @param file '' = the defaults
 * @throws ConfigError listing everything that is wrong, with file and line
 */
export function loadTolerances(file: string, cwd: string = process.cwd()): ProbeTolerances {
  if (file === '') return DEFAULT_TOLERANCES;
  const problems = new ProblemList();
  const content = readText(resolve(cwd, file), file, problems);
  const values = content === undefined ? {} : readTolerances(file, content, problems);
  problems.throwIfAny();
  const { siblings, reruns, self_test_quorum: selfTestQuorum } = { ...DEFAULTS_IN_FILE, ...values };
  return deepFreeze({ siblings, reruns, selfTestQuorum });
}

const DEFAULTS_IN_FILE = {
  siblings: DEFAULT_TOLERANCES.siblings,
  reruns: DEFAULT_TOLERANCES.reruns,
  self_test_quorum: DEFAULT_TOLERANCES.selfTestQuorum,
};

function readTolerances(file: string, content: string, problems: ProblemList): Partial<typeof DEFAULTS_IN_FILE> {
  const yaml = new YamlFile(file, content, problems);
  if (!yaml.valid) return {};
  const margins = (name: string) => TOLERANCE.test(name) || name === 'families' || probeFamilies().includes(name);
  const fields = yaml.entries(yaml.root, undefined, 'error');
  for (const { name, line } of fields.filter((field) => margins(field.name))) {
    yaml.report('error', line, name, NO_TOLERANCE);
  }
  const rest = fields.filter(({ name }) => !margins(name));
  return readValues(yaml, rest, { formats: FORMATS, prefix: '', required: [], also: [] }, 1, problems);
}
