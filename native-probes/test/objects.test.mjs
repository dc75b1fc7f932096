// What the compiler made of it: the unit executes what the family names, the golden shares none of it, the release knows no fault.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { addonPath } from '../index.js';

const release = addonPath({ test: false });
const testBuild = addonPath({ test: true });
const objects = join(import.meta.dirname, '..', 'addon', 'build', 'Release', 'obj.target');
const unit = join(objects, 'cpu', 'vector_backend.o');
const faultyUnit = join(objects, 'test-build', 'faulty_backend.o');
const goldens = [join(objects, 'cpu', 'golden.o'), join(objects, 'cuda', 'gpu_golden.o')];

const run = (command, ...args) => execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });

/** One instruction per line, mnemonic and operands. */
function instructionsOf(file) {
  const lines = run('objdump', '-d', '--no-show-raw-insn', file).split('\n');
  return lines.map((line) => /^\s*[0-9a-f]+:\s+(\S.*)$/.exec(line)?.[1]).filter((text) => text !== undefined);
}

const count = (instructions, pattern) => instructions.filter((text) => pattern.test(text)).length;

/** At least this many of each in a backend's object. */
const EXPECTED = [
  [/^vfmadd\w+ps .*%ymm/, 1],
  [/^vaddps .*%ymm/, 1],
  [/^vmulps .*%ymm/, 1],
  [/^vcvtps2dq .*%ymm/, 1],
  [/^vcvtdq2ps .*%ymm/, 1],
  [/^vcvtps2ph /, 1],
  [/^vcvtph2ps /, 1],
  [/^vfmadd\w+pd .*%ymm/, 2],
  [/^vaddpd .*%ymm/, 2],
  [/^vmulpd .*%ymm/, 2],
  [/^vcvtpd2dqy? /, 2],
  [/^vcvtdq2pd .*%ymm/, 2],
  [/^vcvtpd2psy? /, 4],
  [/^vcvtps2pd .*%ymm/, 2],
  [/^vsqrtpd .*%ymm/, 2],
  [/^vdivpd .*%ymm/, 2],
  [/^vsqrtps .*%ymm/, 1],
  [/^vdivps .*%ymm/, 1],
  [/^clflush /, 1],
  [/^mfence/, 3],
  [/^vmovdq[au] \S*\(.*\),%ymm/, 20],
  [/^vmovdq[au] %ymm\d+,\S*\(/, 20],
  [/^v?aesenc /, 1],
  [/^v?aesenclast /, 1],
  [/^v?aesdec /, 1],
  [/^v?aesdeclast /, 1],
  [/^v?aesimc /, 1],
  [/^v?aeskeygenassist /, 10],
  [/^vpmulld /, 3],
  [/^vpsllvd /, 1],
  [/^vpsrlvd /, 1],
  [/^vpshufb /, 2],
  [/^popcnt/, 1],
  [/^imul/, 1],
  [/^mulx? |^mulq? /, 1],
  [/^rol/, 1],
];

test('the unit under test executes the instructions that its family names', () => {
  for (const file of [unit, faultyUnit]) {
    const instructions = instructionsOf(file);
    for (const [pattern, least] of EXPECTED) {
      const found = count(instructions, pattern);
      assert.ok(found >= least, `${file}: ${found} of ${pattern}, expected at least ${least}`);
    }
  }
});

const MATH_LIBRARY = ['exp', 'exp2', 'log', 'log2', 'sin', 'cos', 'tan', 'tanh', 'pow'].flatMap((name) => [
  name,
  `${name}f`,
]);

test('the unit calls the math library, every function in both precisions', () => {
  for (const file of [unit, faultyUnit]) {
    const wanted = run('nm', '--undefined-only', file)
      .split('\n')
      .map((line) => line.trim().split(/\s+/).at(-1));
    assert.deepEqual(
      MATH_LIBRARY.filter((name) => !wanted.includes(name)),
      [],
    );
  }
});

/** Objects that are compiled for more than AVX2: release and test build, and what each executes at least. */
const WIDE = [
  {
    files: [join(objects, 'cpu', 'fp16_backend.o'), join(objects, 'test-build', 'faulty_fp16_backend.o')],
    expected: [
      [/^vfmadd\w+ph .*%zmm/, 1],
      [/^vaddph .*%zmm/, 1],
      [/^vmulph .*%zmm/, 1],
      [/^vpermw .*%zmm/, 6],
    ],
  },
  {
    files: [join(objects, 'cpu', 'bf16_backend.o'), join(objects, 'test-build', 'faulty_bf16_backend.o')],
    expected: [
      [/^vdpbf16ps .*%zmm/, 16],
      [/^vpermd .*%zmm/, 3],
      [/^tileloadd /, 3],
      [/^tdpbf16ps /, 1],
      [/^tdpbssd /, 1],
      [/^tdpbsud /, 1],
      [/^tdpbusd /, 1],
      [/^tdpbuud /, 1],
      [/^tilerelease/, 1],
    ],
  },
];

test('so do the units that need more than AVX2, with 512 bits', () => {
  for (const { files, expected } of WIDE) {
    for (const file of files) {
      const instructions = instructionsOf(file);
      for (const [pattern, least] of expected) {
        const found = count(instructions, pattern);
        assert.ok(found >= least, `${file}: ${found} of ${pattern}, expected at least ${least}`);
      }
    }
  }
});

/** Symbols that the linker may take from whichever object comes first. */
function sharedSymbols(file) {
  const lines = run('nm', file).split('\n');
  return lines.map((line) => / [WVu] (\S+)$/.exec(line)?.[1]).filter((name) => name !== undefined);
}

test('no function that is compiled for AVX-512 can be linked in place of one that is not', () => {
  const wide = WIDE.flatMap(({ files }) => files);
  const others = readdirSync(objects, { recursive: true })
    .filter((name) => name.endsWith('.o'))
    .map((name) => join(objects, name))
    .filter((file) => !wide.includes(file));
  assert.ok(others.length > 10);
  const elsewhere = new Set(others.flatMap(sharedSymbols));
  assert.ok(elsewhere.size > 10, 'the pattern finds them where they are');
  for (const file of wide)
    assert.deepEqual(
      sharedSymbols(file).filter((name) => elsewhere.has(name)),
      [],
    );
});

test('the register march complements each of the sixteen vector registers thirty-four times', () => {
  for (const file of [unit, faultyUnit]) {
    const instructions = instructionsOf(file);
    for (let register = 0; register < 16; register++) {
      const complement = new RegExp(`^vpxor\\s+\\(%\\w+\\),%ymm${register},%ymm${register}$`);
      assert.equal(count(instructions, complement), 34, `${file}: ymm${register}`);
    }
    assert.equal(count(instructions, /^lfence/), 20);
  }
});

const VECTOR_OR_FLOAT = /%[xyz]mm|%mm[0-7]|%st\b|^f(ld|st|add|mul|i)|^v?aes|^popcnt/;

test('a golden has no vector, floating-point or AES instruction', () => {
  for (const golden of goldens) {
    const instructions = instructionsOf(golden);
    assert.ok(instructions.length > 500, `${golden} was disassembled`);
    assert.deepEqual(
      instructions.filter((text) => VECTOR_OR_FLOAT.test(text)),
      [],
    );
  }
  assert.ok(count(instructionsOf(unit), VECTOR_OR_FLOAT) > 100, 'the pattern finds them where they are');
});

test('a golden calls no library function, which could contain one', () => {
  for (const golden of goldens) {
    const undefinedSymbols = run('nm', '--undefined-only', golden)
      .split('\n')
      .map((line) => line.trim().split(/\s+/).at(-1));
    assert.deepEqual(
      undefinedSymbols.filter((name) => name !== '' && name !== '_GLOBAL_OFFSET_TABLE_'),
      [],
    );
  }
});

const FAULT_WORDS = /inject|falsif|stuck[01]|fault_?(tap|plan|source|spec)|gpu_?fault|rateExec|rate-exec/i;

test('the release knows no symbol and no string of fault injection, the test build does', () => {
  const traces = (file) =>
    [run('nm', '--demangle', file), run('nm', '--demangle', '--dynamic', file), run('strings', '-a', '-n', '4', file)]
      .join('\n')
      .split('\n')
      .filter((line) => FAULT_WORDS.test(line));
  assert.deepEqual(traces(release), []);
  assert.deepEqual(traces(join(dirname(release), 'gpu_measure')), []);
  assert.ok(traces(testBuild).length > 10);
});

test('no library of NVIDIA is linked: those of the driver are opened when it runs', () => {
  for (const file of [release, join(dirname(release), 'gpu_measure')]) {
    const needed = [...run('objdump', '-p', file).matchAll(/^\s*NEEDED\s+(\S+)/gm)].map((match) => match[1]);
    assert.ok(needed.includes('libc.so.6'), file);
    assert.deepEqual(
      needed.filter((name) => /cuda|nvidia|nvrtc/i.test(name)),
      [],
    );
  }
});
