// known-answers/*.json -> build/generated/known_answers.inc, so that the digests are part of the addon.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const camel = (family) => family.replace(/(?:^|_)([a-z])/g, (_, letter) => letter.toUpperCase());

function section({ family, probe_version: version, answers }) {
  const name = `kKnown${camel(family)}`;
  const rows = answers.map(({ epoch, index, digest }) => `    {${epoch}u, ${index}u, 0x${digest}u},`);
  return [
    `constexpr uint32_t ${name}Version = ${version};`,
    `constexpr sentinel::KnownAnswer ${name}[] = {`,
    ...rows,
    '};',
    '',
  ].join('\n');
}

/** Writes the header into `folder`/build/generated from the files in `folder`/known-answers. */
export function writeKnownAnswersHeader(folder) {
  const source = join(folder, 'known-answers');
  const files = readdirSync(source)
    .filter((name) => name.endsWith('.json'))
    .sort();
  const sections = files.map((name) => section(JSON.parse(readFileSync(join(source, name), 'utf8'))));
  const head = '// Generated from known-answers/*.json by scripts/known-answers-header.mjs.\n';
  const target = join(folder, 'build', 'generated');
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, 'known_answers.inc'), head + sections.join('\n'));
}
