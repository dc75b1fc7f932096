/** Builds the fake NVML if need be, for the `libraries` of `fakeGpu`; its entries are described in nvml.cpp. */
export function buildFakeNvml(options?: { old?: boolean }): string;
