// Only rules that need types, which Biome does not have. Formatting and everything else is Biome's.
// Patterns are relative to the folder that ESLint is started in: the root of the clone, or a test's folder of violations.
import tseslint from 'typescript-eslint';

/** node:test hands its promises to the runner; awaiting `test(…)` at the top of a file would change nothing. */
const RUNNER = { from: 'package', package: 'node:test', name: ['describe', 'it', 'suite', 'test'] };

/** Folders of pure decisions (dependency-cruiser.config.mjs keeps input and output away from them). */
const DOMAIN = [
  'core.ts',
  ...['evidence', 'lifecycle', 'explain', 'patterns', 'canary'].map((folder) => `${folder}/**/*.ts`),
];
const WORLD = ['Date', 'performance', 'process', 'console', 'fetch', 'setTimeout', 'setInterval', 'setImmediate'];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/gen/**', '**/node_modules/**'] },
  {
    files: ['packages/*/src/**/*.ts', 'tests/src/**/*.ts'],
    plugins: { '@typescript-eslint': tseslint.plugin },
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: process.cwd() },
    },
    linterOptions: { noInlineConfig: true },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: [RUNNER] }],
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      // A promise returned from inside `try` would be rejected outside of it.
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: [
      ...DOMAIN.map((pattern) => `packages/correlation-engine/src/${pattern}`),
      'packages/training-monitor/src/{analysers,grouping}/**/*.ts',
      'packages/inference-monitor/src/{analysers,replicas/judge}/**/*.ts',
      'packages/monitor-kit/src/charts/**/*.ts',
    ],
    ignores: ['**/*.test.ts', '**/testing/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...WORLD.map((name) => ({ name, message: 'Decisions are pure: time, randomness and effects are arguments.' })),
      ],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: 'Replay must repeat it.' }],
      'no-restricted-imports': [
        'error',
        { paths: [{ name: 'node:crypto', allowImportNames: ['createHash', 'hash'] }] },
      ],
    },
  },
);
