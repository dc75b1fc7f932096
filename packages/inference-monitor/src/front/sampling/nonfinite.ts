/** As Python's json words it, which servers that write strict JSON quote in their error (seen: vLLM 0.32). */
const SAYS_SO = /out of range float values are not json compliant/i;

/** Whether a server that was asked for logarithms of probabilities says that they are NaN or infinite. @param text of its error */
export function saysNonfinite(text: string): boolean {
  return SAYS_SO.test(text);
}
