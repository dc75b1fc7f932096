/** The process in which a model runs, or what stands before it, as its hello says. */
export interface Server {
  /** "" = as the configuration says. */
  readonly replica: string;
  /** "" = not known yet. */
  readonly model: string;
  /** With its version of a library in the server, such as "vllm 0.32.0"; without it of the front, which sees less. */
  readonly framework: string;
  /** Lower-case hexadecimal digits; "" = comparable with nobody. */
  readonly configHash: string;
  readonly dtype: string;
  /** By worker; "" = a CPU, or not known. */
  readonly gpus: readonly string[];
  readonly libraryVersion: string;
  readonly testBuild: boolean;
  /** It answers questions. */
  readonly answers: boolean;
}

/** A library in the server that says of it what nobody sees from outside; the front of a sidecar does not. */
export function isInside({ configHash, answers }: Server): boolean {
  return configHash !== '' || answers;
}
