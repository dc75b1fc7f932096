// Who may import whom. Paths are relative to the folder that dependency-cruiser is started in.

const SERVICES = 'probe-agent|correlation-engine|audit-ledger|inference-monitor|training-monitor|sidecar-injector';
/** Folders of the engine that decide: plain data in, plain data out, so that replay, simulation and production run the same code. */
const DOMAIN = '^packages/correlation-engine/src/(core\\.ts$|(evidence|lifecycle|explain|patterns|canary)/)';
/** Folders of the monitors that judge: records in, findings out, so that simulation and production run the same code. */
const ANALYSERS =
  '^packages/(training-monitor/src/(analysers|grouping)|inference-monitor/src/(analysers|replicas/judge)|monitor-kit/src/charts)/';
/** What monitors have in common and is as pure. */
const PURE_KIT = '^packages/monitor-kit/(src|dist)/(charts/|severity|thresholds)';
const TESTS = '(\\.test\\.ts$|/testing/|^tests/)';
/** Any folder that a package owns. */
const OWN = '^(?:packages/[^/]+|native-probes|tests|scripts)/';

const forbidden = [
  {
    name: 'contracts-import-nothing-of-ours',
    comment: 'packages/contracts is generated from proto/; whatever it needs comes from outside.',
    from: { path: '^packages/contracts/' },
    to: { path: OWN, pathNot: '^packages/contracts/' },
  },
  {
    name: 'service-kit-imports-contracts-alone',
    comment: 'Every service stands on service-kit; it may know none of them.',
    from: { path: '^packages/service-kit/', pathNot: TESTS },
    to: { path: OWN, pathNot: '^packages/(service-kit|contracts)/' },
  },
  {
    name: 'monitor-kit-imports-no-service',
    comment: 'What monitors of jobs have in common stands on service-kit and contracts.',
    from: { path: '^packages/monitor-kit/', pathNot: TESTS },
    to: { path: OWN, pathNot: '^packages/(monitor-kit|service-kit|contracts)/' },
  },
  {
    name: 'services-never-import-each-other',
    comment: 'Services meet on the wire. What two of them need belongs into service-kit, or monitor-kit.',
    from: { path: `^packages/(${SERVICES})/` },
    to: { path: `^packages/(${SERVICES})/`, pathNot: '^packages/$1/' },
  },
  {
    name: 'services-import-no-tool',
    comment: 'The command line and the supervisor use services, not the other way round.',
    from: { path: `^packages/(${SERVICES}|service-kit|contracts)/`, pathNot: TESTS },
    to: { path: '^packages/(cli|supervisor|fleet-simulator)/' },
  },
  {
    name: 'probes-belong-to-the-agent',
    comment: 'Native code is loaded by the agent and its child process alone.',
    from: { path: '^packages/', pathNot: '^packages/probe-agent/' },
    to: { path: '^native-probes/' },
  },
  {
    name: 'domain-does-no-input-or-output',
    comment: 'Folders that decide import each other and node:crypto for hashes: no file, no socket, no clock.',
    from: { path: DOMAIN, pathNot: TESTS },
    to: { pathNot: [DOMAIN, '^(node:)?crypto$'] },
  },
  {
    name: 'analysers-do-no-input-or-output',
    comment:
      'Analysers and what groups their records import each other, the type of the limits and the error class: no file, no socket, no clock.',
    from: { path: ANALYSERS, pathNot: TESTS },
    to: { pathNot: [ANALYSERS, PURE_KIT, '^packages/service-kit/(src|dist)/(errors|config/index)\\.'] },
  },
  {
    name: 'packages-meet-at-their-exports',
    comment: "Nothing reaches into another package's src/ or dist/: import what its package.json exports.",
    from: { path: '^(packages/[^/]+|native-probes|tests|scripts)/' },
    to: { path: OWN, pathNot: '^$1/', dependencyTypes: ['local'] },
  },
  {
    name: 'test-and-bench-kits-stay-out-of-products',
    comment: 'test-kit is for tests, bench-kit for benchmarks.',
    from: { path: '^packages/(?!test-kit|bench-kit)', pathNot: ['\\.test\\.ts$', '/(testing|bench)/'] },
    to: { path: '^packages/(test-kit|bench-kit)/' },
  },
  {
    name: 'tests-stay-out-of-products',
    comment: 'Code that ships imports no test and no helper of tests.',
    from: { path: '^packages/(?!test-kit|bench-kit)', pathNot: ['\\.test\\.ts$', '/(testing|bench)/'] },
    to: { path: '(\\.test\\.ts$|/testing/|^tests/)' },
  },
  {
    name: 'no-cycles',
    comment: 'Modules that import each other in a circle cannot be understood one at a time.',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
  {
    name: 'imports-resolve',
    comment: 'The module is not there, or the package does not export it.',
    from: {},
    to: { couldNotResolve: true },
  },
];

export default {
  forbidden: forbidden.map((rule) => ({ severity: 'error', ...rule })),
  options: {
    doNotFollow: { path: ['node_modules', '/dist/'] },
    exclude: { path: '/src/gen/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.json'],
    },
  },
};
