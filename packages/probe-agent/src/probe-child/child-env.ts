/** Variables that reach a child which loads the driver: where libraries are, and what CUDA and the container toolkit are told. */
const FOR_DRIVER = /^(LD_LIBRARY_PATH|CUDA_.*|NVIDIA_.*)$/;

/** Environment of a child that may load the CUDA driver. Nothing else of the daemon's, secrets least of all, reaches it. */
export function driverEnv(env: NodeJS.ProcessEnv): Record<string, string> {
  const pairs = Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return Object.fromEntries(pairs.filter(([name]) => FOR_DRIVER.test(name)));
}

/** The same for the child of one GPU (or MIG instance), which then sees no other. */
export function gpuEnv(env: NodeJS.ProcessEnv, uuid: string): Record<string, string> {
  return { ...driverEnv(env), CUDA_VISIBLE_DEVICES: uuid };
}
