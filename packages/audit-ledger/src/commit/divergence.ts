/** The two paths disagree: this machine computed something wrong. The batch must not be stored, let alone signed. */
export class DivergenceError extends Error {
  override readonly name = 'DivergenceError';
}
