import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { capture } from './docker/capture.mjs';
import { healthProbeBill, healthProbeBuild } from './sbom-health-probe.mjs';

const HAS_GO = spawnSync('go', ['version'], { stdio: 'ignore' }).status === 0;
/** Never in CI. */
const skip = HAS_GO || process.env.CI === 'true' ? false : 'there is no go on the PATH';
const REMEDY = 'run: npm run sbom:health-probe';
const BUILD = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' };

async function go(args, cwd) {
  const { ok, stdout, stderr } = await capture('go', args, { cwd, env: BUILD });
  assert.ok(ok, stderr);
  return stdout;
}

describe('the bill of grpc_health_probe', () => {
  const { metadata, components } = healthProbeBill();

  it('is that of the version which the images build', () => {
    const { name, version } = healthProbeBuild();
    assert.equal(metadata.component.purl, `pkg:golang/${name}@${version}`, REMEDY);
  });

  it('names a licence for each module', () => {
    for (const each of [metadata.component, ...components]) assert.ok(each.licenses[0].license.id, each.purl);
  });

  it('names each module that Go compiles into it, and no other', { skip }, async () => {
    const { name, version } = healthProbeBuild();
    const { Dir } = JSON.parse(await go(['mod', 'download', '-json', `${name}@${version}`]));
    const format = '{{with .Module}}{{if not .Main}}pkg:golang/{{.Path}}@{{.Version}}{{end}}{{end}}';
    const compiled = new Set((await go(['list', '-deps', '-f', format, '.'], Dir)).split('\n').filter(Boolean));
    assert.ok(compiled.size > 5);
    assert.deepEqual(components.map(({ purl }) => purl).sort(), [...compiled, 'pkg:golang/std'].sort(), REMEDY);
  });
});
