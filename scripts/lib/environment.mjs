import path from 'node:path';

/**
 * Settings of the user's npm that must not reach our tools: `npm start` hands them on as variables. A `nodedir` would compile
 * against another Node's headers, `ignore_scripts` would leave out the few scripts that pnpm-workspace.yaml allows.
 */
const DROPPED =
  /^(npm_(config_(nodedir|node_gyp|ignore_scripts|user_agent|prefix|local_prefix|global_prefix|omit|production|allow_scripts)|lifecycle_.*|package_.*|command|execpath|node_execpath)|NODE_OPTIONS|NODE_ENV)$/i;

/** The environment of a step that the machine's own npm runs. */
export function stepEnvironment(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !DROPPED.test(name)));
}

/** The environment in which `node`, `pnpm` and every tool of the workspace are the pinned ones. */
export function toolEnvironment(env, toolchain, root) {
  const tools = ['node_modules/.bin', 'scripts/node_modules/.bin'].map((folder) => path.join(root, folder));
  const first = [...tools, ...toolchain.bin];
  const rest = (env.PATH ?? '').split(path.delimiter).filter((folder) => !first.includes(folder));
  return {
    ...stepEnvironment(env),
    PATH: [...first, ...rest].join(path.delimiter),
    SENTINEL_NODEDIR: toolchain.nodeDir,
    npm_config_nodedir: toolchain.nodeDir,
    NX_DAEMON: 'false',
  };
}
