import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpus, probes, testProbes } from './addons.mjs';

const good = { family: 'int_aes', epoch: 1, index: 0, sms: [cpus[0]], goldenCpus: [cpus[0]] };
const u32 = /expected an integer from 0 to 4294967295/;

const wrongRequests = [
  [undefined, /execute: argument: expected an object/],
  [null, /argument/],
  [7, /argument/],
  ['fma32', /argument/],
  [{}, /execute: family: expected one of fma32, int_aes, fma64, cpu_reg, cpu_mem, fma16, cpu_libm, cpu_bf16/],
  [{ ...good, family: 'sfu' }, /family/],
  [{ ...good, family: 'x'.repeat(100_000) }, /family/],
  [{ ...good, family: Symbol('fma32') }, /family/],
  [{ ...good, epoch: -1 }, u32],
  [{ ...good, epoch: 2 ** 32 }, u32],
  [{ ...good, epoch: 1.5 }, u32],
  [{ ...good, epoch: 1n }, u32],
  [{ ...good, index: NaN }, /execute: index/],
  [{ ...good, index: '1' }, /index/],
  [{ ...good, sms: [] }, /sms: expected an array of 1 to 4096 integers/],
  [{ ...good, sms: cpus[0] }, /sms/],
  [{ ...good, sms: new Uint32Array(1) }, /sms/],
  [{ ...good, sms: new Array(5_000).fill(0) }, /sms/],
  [{ ...good, sms: [cpus[0], -1] }, /sms\[1\]/],
  [{ ...good, sms: [cpus[0], 8_192] }, /sms\[1\]: expected an integer from 0 to 8191/],
  [{ ...good, sms: [cpus[0], cpus[0]] }, /sms\[1\]: \d+ is listed twice/],
  [{ ...good, sms: new Array(2) }, /sms\[0\]/],
  [{ ...good, goldenCpus: [] }, /goldenCpus: expected an array of 1 to 2 integers/],
  [{ ...good, goldenCpus: [0, 1, 2] }, /goldenCpus/],
  [{ ...good, goldenCpus: [0, 0] }, /goldenCpus\[1\]: 0 is listed twice/],
];

test('execute refuses wrong arguments and names the field', () => {
  for (const [request, message] of wrongRequests)
    assert.throws(() => probes.execute(request), { name: 'TypeError', message });
});

test('knownAnswers refuses what is no logical CPU number', () => {
  for (const sm of [undefined, -1, 0.5, '0', 1e9, NaN, {}]) {
    assert.throws(() => probes.knownAnswers(sm), {
      name: 'TypeError',
      message: /knownAnswers: sm: expected an integer/,
    });
  }
});

test('an exception of a getter or a proxy passes through', () => {
  const broken = {
    get family() {
      throw new RangeError('mine');
    },
  };
  assert.throws(() => probes.execute(broken), { name: 'RangeError', message: 'mine' });
  const proxy = new Proxy(good, {
    get: (target, key) => {
      if (key === 'sms') throw new RangeError('proxy');
      return target[key];
    },
  });
  assert.throws(() => probes.execute(proxy), { name: 'RangeError', message: 'proxy' });
});

/** Deterministic, so that a failure can be repeated. */
function generator(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
}

test('ten thousand malformed requests cost a TypeError each and nothing else', () => {
  const pick = generator(42);
  const junk = [
    undefined,
    null,
    -0,
    -1,
    1e308,
    NaN,
    '',
    'fma32',
    [],
    {},
    [[]],
    () => 0,
    true,
    2n,
    Symbol.iterator,
    new Uint8Array(3),
    new Date(0),
  ];
  const fields = Object.keys(good);
  for (let k = 0; k < 10_000; k++) {
    const request = { ...good, [fields[pick(fields.length)]]: junk[pick(junk.length)], sms: junk[pick(junk.length)] };
    assert.throws(() => probes.execute(request), TypeError);
  }
});

const fault = { cores: [cpus[0]], family: 'fma32' };
const wrongFaults = [
  [undefined, /inject: argument: expected an object/],
  [5, /argument/],
  ['', /expected NAME=VALUE/],
  ['core', /"core": expected NAME=VALUE/],
  ['speed=1', /"speed=1": expected NAME=VALUE, NAME one of core, gpu, sm, sub-partition, family, rate/],
  [`core=${Math.max(...cpus) + 1},family=fma32`, new RegExp(`no logical CPU .* here; there are ${cpus.join(', ')}`)],
  ['core=one,family=fma32', /cores\[0\]/],
  ['core=0,family=sfu', /family: expected one of/],
  ['core=0,family=fma32,rate=0', /rate: expected a number/],
  ['core=0,family=fma32,same=maybe', /same: expected a boolean/],
  ['core=0,family=fma32,mask=0x100000000', /mask/],
  [{ ...fault, rate: 2 }, /rate: expected a number from 1e-12 to 1/],
  [{ ...fault, rate: 0.1, rateExec: 0.1 }, /give either rate or rateExec/],
  [{ ...fault, effect: 'melt' }, /effect: expected one of flip, stuck0, stuck1, xor/],
  [{ ...fault, site: 'register' }, /site/],
  [{ ...fault, lane: 8 }, /lane/],
  [{ ...fault, dataMask: 1, dataValue: 2 }, /dataValue: has bits that dataMask does not select/],
  [{ ...fault, speed: 1 }, /speed: expected one of cores, gpu, sm, subPartition, family/],
  [{ cores: [], family: 'fma32' }, /cores/],
  [{ family: 'fma32' }, /cores: give cores, or gpu for a fault of GPUs/],
  ['gpu=all,core=0,family=fma32', /cores: are CPUs: a fault of a GPU has sm and subPartition/],
  ['core=0,family=fma32,sm=1', /sm: is a place of a GPU: give gpu as well/],
  ['core=0,family=fma32,sub-partition=1', /subPartition: is a place of a GPU/],
  ['gpu=0,family=fma32', /gpu: no GPU 0 here; /],
  ['gpu=1.5,family=fma32', /gpu: expected an integer/],
  ['gpu=,family=fma32', /gpu: expected a text/],
  ['gpu=all,family=cpu_mem', /family: expected one of fma32, .*, copy/],
  ['gpu=all,family=fma32,sub-partition=4', /subPartition: expected an integer from 0 to 3/],
  ['gpu=all,family=fma32,sm=one', /sm: expected an integer/],
  ['gpu=all,family=fma32,lane=64', /lane: expected an integer from 0 to 63/],
  ['gpu=all,family=fma32,site=golden', /site: on a GPU results alone are falsified/],
  ['gpu=all,family=fma32,site=operand-buffer', /site: on a GPU results alone/],
  ['gpu=all,family=fma32,site=placement', /site: on a GPU results alone/],
  ['gpu=all,family=fma32,effect=swap', /effect: expected one of flip, stuck0, stuck1, xor, ulp on a GPU/],
  ['gpu=all,family=fma32,effect=stale', /effect: expected one of flip/],
];

test('inject refuses wrong faults and says what is valid', () => {
  for (const [spec, message] of wrongFaults)
    assert.throws(() => testProbes.inject(spec), { name: 'TypeError', message });
});

test('a fault of a GPU changes nothing on CPUs', () => {
  try {
    testProbes.inject('gpu=all,sm=all,sub-partition=any,family=fma32');
    testProbes.inject('gpu=GPU-11111111-2222-3333-4444-555555555555,sm=4,family=int_aes,lane=63,effect=ulp');
    const { results } = testProbes.execute({ ...good, family: 'fma32' });
    assert.ok(results.every(({ result }) => result === 'PASS'));
    assert.equal(testProbes.falsified().count, 0);
  } finally {
    testProbes.inject(null);
  }
});

test('inject takes 16 faults and no more', () => {
  try {
    for (let k = 0; k < 16; k++) testProbes.inject(fault);
    assert.throws(() => testProbes.inject(fault), { name: 'TypeError', message: /16 faults already/ });
  } finally {
    testProbes.inject(null);
  }
});
