// known-answers/{cpu,gpu}/*.json -> build/generated/known_answers.inc, so that the digests are part of the addon: a table keyed by
// backend and family number. The compiler refuses answers of another probe version than the recipe's.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SHAPE_OF = { cpu: 'shape_of', gpu: 'gpu_shape_of' };

/** What a file's `locked` holds for its probe version: SHA-256 of the lines "epoch index digest". */
export function lockOf(answers) {
  const lines = answers.map(({ epoch, index, digest }) => `${epoch} ${index} ${digest}\n`);
  return createHash('sha256').update(lines.join('')).digest('hex');
}

/** Every committed file of known answers below `source`, by backend and name. */
export function knownAnswerFiles(source) {
  return Object.keys(SHAPE_OF).flatMap((backend) => {
    const folder = join(source, backend);
    if (!existsSync(folder)) return [];
    const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
    return names.sort().map((name) => join(folder, name));
  });
}

/** @throws Error if the answers changed and the probe version did not. */
export function readKnownAnswers(file) {
  const contents = JSON.parse(readFileSync(file, 'utf8'));
  if (contents.locked[contents.probe_version] !== lockOf(contents.answers))
    throw new Error(`${file}: the answers are not those that probe version ${contents.probe_version} locks`);
  return contents;
}

const nameOf = ({ backend, number }) => `kKnown_${backend}_${number}`;

function definition(contents) {
  const { family, number, backend, probe_version: version, answers } = contents;
  const rows = answers.map(({ epoch, index, digest }) => `    {${epoch}u, ${index}u, 0x${digest}u},`);
  const sentence = `known-answers/${backend}/${family}.json is of another probe version`;
  return [
    `static_assert(${SHAPE_OF[backend]}(Family{${number}}).probe_version == ${version}, "${sentence}");`,
    `constexpr KnownAnswer ${nameOf(contents)}[] = {`,
    ...rows,
    '};',
    '',
  ].join('\n');
}

function row(contents) {
  const { number, backend, answers } = contents;
  return `    {KnownBackend::k${backend === 'cpu' ? 'Cpu' : 'Gpu'}, Family{${number}}, {${nameOf(contents)}, ${answers.length}}},`;
}

/** Writes the header into `folder`/build/generated from the files in `folder`/known-answers. */
export function writeKnownAnswersHeader(folder) {
  const all = knownAnswerFiles(join(folder, 'known-answers')).map(readKnownAnswers);
  const target = join(folder, 'build', 'generated');
  mkdirSync(target, { recursive: true });
  const lines = [
    '// Generated from known-answers/ by scripts/known-answers-header.mjs.',
    ...all.map(definition),
    'constexpr KnownAnswerTable kKnownAnswers[] = {',
    ...all.map(row),
    '};',
    '',
  ];
  writeFileSync(join(target, 'known_answers.inc'), lines.join('\n'));
}
