// cuda/instructions/*.json: the SASS instructions that each family names, and how often its loops must contain them. From
// them come the list that the addon reports and the rules that the tests hold the cubins to.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @typedef {object} Instruction
 * @property {string} name as the addon reports it; mnemonics that begin with it count, unless there is a pattern
 * @property {string} [pattern] regular expression for the beginning of the instruction with its operands
 * @property {number} [least] how many the loops contain at least; 1 if absent
 * @property {string[]} [architectures] that have it; all of the family's if absent
 *
 * @typedef {object} Rule
 * @property {string} family
 * @property {number} number of the family in core/families.h
 * @property {string[]} [architectures] that have a kernel of it; all if absent
 * @property {number} [registers] that its full variant uses at least
 * @property {Instruction[]} instructions
 */

/** @param {string} root the package's folder @returns {Rule[]} by family */
export function instructionRules(root) {
  const folder = join(root, 'cuda', 'instructions');
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.sort().map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
}

export const existsOn = ({ architectures }, architecture) => architectures?.includes(architecture) ?? true;

/** Writes build/generated/gpu_instructions.inc: a row for each family and architecture that has a kernel of it. */
export function writeInstructionsHeader(root, architectures) {
  const row = (rule, architecture) => {
    const names = rule.instructions.filter((one) => existsOn(one, architecture)).map(({ name }) => name);
    return `    {Family{${rule.number}}, "${architecture}", "${names.join(' ')}"},  // ${rule.family}`;
  };
  const rows = instructionRules(root).flatMap((rule) =>
    architectures.filter((architecture) => existsOn(rule, architecture)).map((architecture) => row(rule, architecture)),
  );
  const target = join(root, 'build', 'generated');
  mkdirSync(target, { recursive: true });
  const head = '// Generated from cuda/instructions/*.json by scripts/gpu-instructions.mjs.\n';
  const lines = ['static const FamilyInstructions kInstructions[] = {', ...rows, '};', ''];
  writeFileSync(join(target, 'gpu_instructions.inc'), head + lines.join('\n'));
}
