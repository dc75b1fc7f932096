// Prints what one execution costs: CPU time of the golden (on one CPU) and duration of the pass (on one SM), medians.
import { createRequire } from 'node:module';
import { addonPath } from '../index.js';

const EXECUTIONS = 500;
const probes = createRequire(import.meta.url)(addonPath({ test: false }));
const { cpus, cpuModel, families } = probes.info();

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/** The golden is computed where the pass does not run, so that its CPU time stands alone; needs two CPUs. */
function costsOf(family) {
  const golden = [];
  const pass = [];
  for (let index = 0; index < EXECUTIONS; index++) {
    const report = probes.execute({ family, epoch: 0, index, sms: [cpus[0]], goldenCpus: [cpus[1]] });
    golden.push(report.cpuUs.find(({ cpu }) => cpu === cpus[1]).us);
    pass.push(report.results[0].durationUs);
  }
  return { family, 'golden us': Math.round(median(golden)), 'pass us': Math.round(median(pass)) };
}

if (cpus.length < 2) throw new Error('two logical CPUs are needed to tell the golden from the pass');
console.log(`${cpuModel}, ${EXECUTIONS} executions each`);
console.table(families.filter(({ available }) => available).map(({ name }) => costsOf(name)));
