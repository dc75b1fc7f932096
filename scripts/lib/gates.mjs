/**
 * What a change must pass before its tests count, cheapest cause first. Each is a script of the root package.json.
 * @type {{ script: string, text: string }[]}
 */
export const GATES = [
  { script: 'lint:references', text: 'project references follow the package.json files' },
  { script: 'build', text: 'the wire contract, TypeScript and the native probes compile' },
  { script: 'typecheck', text: 'types' },
  { script: 'lint', text: 'format and lint (Biome)' },
  { script: 'lint:types', text: 'promises, switches and purity (typed ESLint rules)' },
  { script: 'lint:imports', text: 'who imports whom (dependency-cruiser)' },
  { script: 'lint:unused', text: 'unused files, exports and dependencies (knip)' },
  { script: 'lint:docker', text: 'Dockerfiles (hadolint)' },
  { script: 'lint:proto', text: 'the wire contract: style, format, no breaking change (buf)' },
];
