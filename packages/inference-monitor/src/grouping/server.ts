/** The process in which a model runs, or what stands before it, as its hello says. */
export interface Server {
  /** "" = as the configuration says. */
  readonly replica: string;
  /** "" = not known yet. */
  readonly model: string;
  readonly framework: string;
  /** Lower-case hexadecimal digits; "" = comparable with nobody. */
  readonly configHash: string;
  readonly dtype: string;
  /** By worker; "" = a CPU, or not known. */
  readonly gpus: readonly string[];
  /** "" = the front of the sidecar, which sees less than a library in the server. */
  readonly libraryVersion: string;
  readonly testBuild: boolean;
  /** It answers questions. */
  readonly answers: boolean;
}
