/** Options of a test that needs the fake GPU; empty where it can run, and in CI, where it then fails. */
export const needsFakeGpu: { readonly skip?: string };

/** The same for a test that runs kernels. */
export const needsKernels: { readonly skip?: string };
