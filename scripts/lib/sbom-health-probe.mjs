// What `grpc_health_probe` is built of, a program in Go that every image has: scripts/sbom/health-probe.cdx.json, made where Go is
// (`npm run sbom:health-probe`) and read where it need not be, as a lock file is.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ROOT } from './paths.mjs';

const PINNED = path.join(ROOT, 'scripts', 'sbom', 'health-probe.cdx.json');
/** The same text begins every Dockerfile. */
const DOCKERFILE = path.join(ROOT, 'deploy', 'docker', 'probe-agent.Dockerfile');
const TOOL = { name: 'cyclonedx-gomod', version: 'v1.10.0' };
const LOCATION = '/usr/local/bin/grpc_health_probe';
const STANDARD_LIBRARY = 'pkg:golang/std';

/** @returns {object} CycloneDX, the program as its component */
export const healthProbeBill = () => JSON.parse(fs.readFileSync(PINNED, 'utf8'));

/**
 * How every Dockerfile builds it.
 * @returns {{ command: string, name: string, version: string }} `name`: of the module
 */
export function healthProbeBuild() {
  const [, command, name, version] = /^RUN (.*go install .* (\S+)@(v\S+))$/m.exec(fs.readFileSync(DOCKERFILE, 'utf8'));
  return { command, name, version };
}

/** Builds it as the images do and asks what Go wrote into it. */
function readBinary(folder) {
  const { command, name, version } = healthProbeBuild();
  const run = (program, args, env) =>
    execFileSync(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit'] });
  run('sh', ['-c', command], { GOBIN: folder });
  const tool = `github.com/CycloneDX/cyclonedx-gomod/cmd/${TOOL.name}@${TOOL.version}`;
  const plain = ['-json', '-noserial', '-notimestamp', '-short-purls'];
  const output = path.join(folder, 'bill.json');
  const options = [...plain, '-std', '-licenses', '-assert-licenses', '-version', version, '-output', output];
  run('go', ['run', tool, 'bin', ...options, path.join(folder, path.basename(name))]);
  return JSON.parse(fs.readFileSync(output, 'utf8'));
}

/** What is the same wherever it was built: nothing of the machine, nor which release of Go. */
function portable({ metadata, components, dependencies, ...bill }) {
  const [std] = components.filter(isStandardLibrary);
  const names = (ref) => (ref === std['bom-ref'] ? STANDARD_LIBRARY : ref);
  const program = { ...metadata.component, evidence: { occurrences: [{ location: LOCATION }] } };
  const tools = { components: [{ type: 'application', publisher: 'CycloneDX', ...TOOL }] };
  return {
    $schema: bill.$schema,
    bomFormat: bill.bomFormat,
    specVersion: bill.specVersion,
    version: bill.version,
    metadata: { tools, component: program },
    components: components.map((each) => (isStandardLibrary(each) ? standardLibrary() : licensed(each))),
    dependencies: dependencies.map(({ ref, dependsOn }) => ({
      ref: names(ref),
      ...(dependsOn && {
        dependsOn: [...dependsOn.map(names), ...(ref === program['bom-ref'] ? [STANDARD_LIBRARY] : [])],
      }),
    })),
  };
}

const isStandardLibrary = ({ name }) => name === 'std';
const BSD = [{ license: { id: 'BSD-3-Clause' } }];

/** The tool takes the licence of Go itself, which these modules have, for BSD-Source-Code. */
const licensed = (each) => (each.name.startsWith('golang.org/x/') ? { ...each, licenses: BSD } : each);

/** Without a version: the tag of the image that compiles moves with Go's patches. */
const standardLibrary = () => ({
  'bom-ref': STANDARD_LIBRARY,
  type: 'library',
  name: 'std',
  description: `Go's standard library, as its image was when this one was built: "go version ${LOCATION}" says which.`,
  scope: 'required',
  licenses: BSD,
  purl: STANDARD_LIBRARY,
});

if (import.meta.filename === process.argv[1]) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sentinel-health-probe-'));
  try {
    fs.writeFileSync(PINNED, `${JSON.stringify(portable(readBinary(folder)), undefined, 2)}\n`);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
