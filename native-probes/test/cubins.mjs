// What the disassembler says about a cubin.
import { execFileSync } from 'node:child_process';
import { cudaToolchain } from '../scripts/cuda-toolchain.mjs';

// That it switches to the old ELF format, which is the one that these cubins have, it says on stderr.
const run = (command, ...args) =>
  execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] });

const INSTRUCTION = /^\s+\/\*[0-9a-f]{4,}\*\/\s+(?:@!?U?P\w+ )?\s*(\S.*?)\s*;?$/;
const LABEL = /^(\.L_\w+):/;
const KERNEL = /^(sentinel_\w+):/;
const TARGET = /^BRA.*`\((\.L_\w+)\)/;

/** Marks the instructions between a backward branch and its target. */
function markLoops({ instructions, labels }) {
  for (const [index, { text }] of instructions.entries()) {
    const target = labels.get(TARGET.exec(text)?.[1]);
    if (target === undefined || target >= index) continue;
    for (const instruction of instructions.slice(target, index + 1)) instruction.looped = true;
  }
  return instructions;
}

/** @returns {Map<string, { text: string, looped: boolean }[]>} instructions with operands, by kernel */
export function disassemble(cubin) {
  const kernels = new Map();
  let kernel;
  for (const line of run(cudaToolchain().nvdisasm, '--print-code', cubin).split('\n')) {
    const name = KERNEL.exec(line)?.[1];
    if (name) {
      kernel = { instructions: [], labels: new Map() };
      kernels.set(name, kernel);
    }
    const label = LABEL.exec(line)?.[1];
    if (label && kernel) kernel.labels.set(label, kernel.instructions.length);
    const text = INSTRUCTION.exec(line)?.[1].replaceAll('.reuse', '');
    if (text && kernel) kernel.instructions.push({ text, looped: false });
  }
  return new Map([...kernels].map(([key, value]) => [key, markLoops(value)]));
}

/** @returns {Map<string, Record<string, number>>} REG, STACK, SHARED, LOCAL by kernel */
export function resourceUsage(cubin) {
  const report = run(cudaToolchain().cuobjdump, '--dump-resource-usage', cubin);
  const functions = report.matchAll(/Function (\w+):\s+(.*)/g);
  return new Map([...functions].map(([, name, line]) => [name, numbersOf(line)]));
}

function numbersOf(line) {
  const pairs = line.matchAll(/(\w+):(\d+)/g);
  return Object.fromEntries([...pairs].map(([, key, value]) => [key, Number(value)]));
}
