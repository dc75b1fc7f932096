// What the compiler made of the kernels, by the real disassembler: each family's loops consist of the instructions that it
// names, on every architecture.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { addonPath } from '../index.js';
import { ARCHITECTURES, compileCubin, cubinFolder, RELEASE, TEST } from '../scripts/cubins.mjs';
import { existsOn, instructionRules } from '../scripts/gpu-instructions.mjs';
import { disassemble, resourceUsage } from './cubins.mjs';
import { needsKernels } from './fake-gpu/needs.mjs';

const root = join(import.meta.dirname, '..');
const cubinOf = (architecture, variant = RELEASE) => join(cubinFolder(root, variant), `${architecture}.cubin`);
const rulesOf = (architecture) => instructionRules(root).filter((rule) => existsOn(rule, architecture));
const kernelsOf = ({ family }) => [`sentinel_${family}`, `sentinel_${family}_small`];
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** How many instructions of the loops are the one that the rule means. */
function countLooped(instructions, { name, pattern }) {
  const expression = new RegExp(`^(?:${pattern ?? `${escaped(name)}[. ]`})`);
  return instructions.filter(({ text, looped }) => looped && expression.test(text)).length;
}

const programPath = (name) => join(root, 'build', 'Release', name);

test('each binary contains the cubins of these sources, and of its variant alone', needsKernels, () => {
  const binaries = [
    { path: addonPath({ test: false }), own: RELEASE, other: TEST },
    { path: programPath('gpu_measure'), own: RELEASE, other: TEST },
    { path: addonPath({ test: true }), own: TEST, other: RELEASE },
    { path: programPath('gpu_measure_faults'), own: TEST, other: RELEASE },
  ];
  for (const { path, own, other } of binaries) {
    const binary = readFileSync(path);
    for (const architecture of ARCHITECTURES) {
      assert.ok(binary.includes(readFileSync(cubinOf(architecture, own))), `${path}: ${architecture}`);
      assert.ok(!binary.includes(readFileSync(cubinOf(architecture, other))), `${path}: not ${architecture}`);
    }
  }
});

test('two builds give the same bytes', needsKernels, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'cubin-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const again = join(folder, 'again.cubin');
  await compileCubin(root, 'sm_90a', again);
  assert.ok(readFileSync(again).equals(readFileSync(cubinOf('sm_90a'))));
});

const MATRIX = /^\w*MMA\b/;

/** A format that the tensor cores lack is converted to one that they have, in more instructions than were asked for. */
function matrixCount({ instructions }, architecture) {
  const named = instructions.filter((one) => existsOn(one, architecture) && MATRIX.test(one.name));
  return named.reduce((sum, { least }) => sum + least, 0);
}

test(
  'a remark of the compiler fails the build: accumulators set between fence and wgmma make it wait',
  needsKernels,
  async (t) => {
    const copy = mkdtempSync(join(tmpdir(), 'kernels-'));
    t.after(() => rmSync(copy, { recursive: true }));
    for (const folder of ['core', 'cuda', 'scripts'])
      cpSync(join(root, folder), join(copy, folder), { recursive: true });
    writeFileSync(join(copy, 'cuda', 'kernels.cu'), '#include "kernels/tc_fp8.h"\n');
    const compile = () => compileCubin(copy, 'sm_90a', join(copy, 'sm_90a.cubin'));
    await compile();
    const file = join(copy, 'cuda', 'device_mma.h');
    const faulty = readFileSync(file, 'utf8').replace('  asm volatile("wgmma.mma_async', '  d[0] ^= threadIdx.x;\n$&');
    writeFileSync(file, faulty);
    await assert.rejects(compile(), /sm_90a: .*wgmma.*serialized/s);
  },
);

const SMALL_SHARED_BYTES = 8192;
/** CUDA's own part of every block's shared memory, from sm_90 on; it comes on top of what a kernel asks for. */
const RESERVED_SHARED_BYTES = 1024;

const everyCubin = [RELEASE, TEST].flatMap((variant) =>
  ARCHITECTURES.map((architecture) => ({
    architecture,
    cubin: () => cubinOf(architecture, variant),
    name: variant === TEST ? `${architecture} of the test build` : architecture,
  })),
);

for (const { architecture, cubin, name } of everyCubin) {
  test(`${name}: the loops of each family contain the instructions that it names`, needsKernels, () => {
    const kernels = disassemble(cubin());
    const rules = rulesOf(architecture);
    assert.deepEqual([...kernels.keys()].sort(), rules.flatMap(kernelsOf).sort());
    for (const rule of rules) {
      for (const kernel of kernelsOf(rule)) {
        for (const instruction of rule.instructions.filter((one) => existsOn(one, architecture))) {
          const found = countLooped(kernels.get(kernel), instruction);
          const least = instruction.least ?? 1;
          assert.ok(found >= least, `${kernel}: ${found} of ${instruction.name}, expected at least ${least}`);
        }
        const matrix = kernels.get(kernel).filter(({ text }) => MATRIX.test(text));
        assert.equal(matrix.length, matrixCount(rule, architecture), `${kernel}: ${matrix.map(({ text }) => text)}`);
        const spilt = kernels.get(kernel).filter(({ text }) => /^(LDL|STL)\b/.test(text));
        assert.deepEqual(spilt, [], `${kernel} spills`);
      }
    }
  });

  test(`${name}: no kernel spills, or takes more than its variant may`, needsKernels, () => {
    const usage = resourceUsage(cubin());
    for (const rule of rulesOf(architecture)) {
      for (const kernel of kernelsOf(rule)) {
        const { STACK, LOCAL, SHARED } = usage.get(kernel);
        assert.deepEqual({ STACK, LOCAL }, { STACK: 0, LOCAL: 0 }, kernel);
        const most = kernel.endsWith('_small') ? SMALL_SHARED_BYTES : 0;
        assert.ok(SHARED <= most + RESERVED_SHARED_BYTES, `${kernel}: ${SHARED} bytes of static shared memory`);
      }
      const { REG } = usage.get(`sentinel_${rule.family}`);
      assert.ok(REG >= (rule.registers ?? 0), `${rule.family}: ${REG} registers, expected at least ${rule.registers}`);
    }
  });
}

const FAULT_WORDS = /inject|falsif|stuck[01]|fault_?(tap|plan|source|spec)|gpu_?fault/i;

test(
  'no cubin of the release knows a word of fault injection, every one of the test build has the table',
  needsKernels,
  () => {
    for (const architecture of ARCHITECTURES) {
      assert.doesNotMatch(readFileSync(cubinOf(architecture), 'latin1'), FAULT_WORDS, architecture);
      assert.match(readFileSync(cubinOf(architecture, TEST), 'latin1'), /\0sentinel_gpu_faults\0/, architecture);
    }
  },
);
