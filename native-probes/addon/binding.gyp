{
  # Two addons from one source. The second alone has test-build/ and knows how to falsify results; no release contains it.
  'variables': {
    'warnings': ['-Wall', '-Wextra', '-Wno-unused-parameter'],
    'common': ['-O2', '-fvisibility=hidden', '-std=c++17'],
    # The instructions of the unit under test; called only after cpuid allowed them.
    'avx512_flags_x64': ['-mavx2', '-mavx512f', '-mavx512dq', '-mavx512bw', '-mavx512vl'],
    'amx_flags_x64': ['-mamx-tile', '-mamx-bf16', '-mamx-int8'],
    'unit_flags_x64': ['-mavx2', '-mfma', '-mf16c', '-maes', '-mpopcnt'],
  },
  'target_defaults': {
    'cflags!': ['-O3', '-fno-omit-frame-pointer'],
    'cflags_cc!': ['-std=gnu++20', '-std=gnu++17'],
    'cflags': ['<@(warnings)'],
    'cflags_cc': ['<@(common)'],
    'conditions': [['OS=="linux"', { 'defines': ['_GNU_SOURCE'] }]],
  },
  'targets': [
    {
      # The golden: no vector and no floating-point instruction, no call of a C library function that might contain one.
      'target_name': 'golden',
      'type': 'static_library',
      'sources': ['../cpu/golden.cpp', '../cuda/gpu_golden.cpp'],
      'cflags_cc': ['-mgeneral-regs-only', '-fno-tree-loop-distribute-patterns'],
    },
    {
      'target_name': 'vector_backend',
      'type': 'static_library',
      'conditions': [['target_arch=="x64"', {
        'sources': ['../cpu/vector_backend.cpp'],
        'cflags_cc': ['<@(unit_flags_x64)'],
      }, {
        'sources': ['../cpu/absent_backend.cpp'],
      }]],
    },
    {
      'target_name': 'fp16_backend',
      'type': 'static_library',
      'conditions': [['target_arch=="x64"', {
        'sources': ['../cpu/fp16_backend.cpp'],
        'cflags_cc': ['<@(avx512_flags_x64)', '-mavx512fp16'],
      }]],
    },
    {
      'target_name': 'bf16_backend',
      'type': 'static_library',
      'conditions': [['target_arch=="x64"', {
        'sources': ['../cpu/bf16_backend.cpp'],
        'cflags_cc': ['<@(avx512_flags_x64)', '<@(amx_flags_x64)', '-mavx512bf16'],
      }]],
    },
    {
      'target_name': 'execution',
      'type': 'static_library',
      'sources': [
        'reports.cpp', 'values.cpp', '../cpu/comparison.cpp', '../cpu/execution.cpp', '../cpu/features.cpp', '../cpu/known_answers.cpp',
        '../cpu/pinned_thread.cpp', '../cpu/slowdown.cpp', '../cpu/workers.cpp',
      ],
    },
    {
      # Looks for the driver's library when it is asked, and links to none.
      'target_name': 'cuda_backend',
      'type': 'static_library',
      'sources': [
        'gpu.cpp', '../cuda/census.cpp', '../cuda/copies.cpp', '../cuda/copy_pattern.cpp', '../cuda/driver.cpp', '../cuda/execution.cpp',
        '../cuda/golden_cpus.cpp', '../cuda/gpu.cpp', '../cuda/inventory.cpp', '../cuda/known_answers.cpp', '../cuda/launcher.cpp',
        '../cuda/loop.cpp', '../cuda/majority.cpp', '../cuda/memory.cpp', '../cuda/module.cpp', '../cuda/placement.cpp',
        '../cuda/session.cpp', '../cuda/sfu_bounds.cpp', '../cuda/sfu_objection.cpp', '../cuda/switch_cost.cpp', '../cuda/verdict.cpp',
      ],
    },
    {
      # Looks for the driver's library when it is asked, and links to none.
      'target_name': 'nvml',
      'type': 'static_library',
      'sources': ['nvml.cpp', '../nvml/inventory.cpp', '../nvml/library.cpp', '../nvml/telemetry.cpp', '../nvml/xids.cpp'],
    },
    {
      # The cubins; build.mjs writes what it includes.
      'target_name': 'kernels',
      'type': 'static_library',
      'sources': ['../cuda/kernels.cpp'],
      'include_dirs': ['../build/generated/release'],
    },
    {
      # In their place in the test build: kernels whose results can be falsified.
      'target_name': 'test_kernels',
      'type': 'static_library',
      'sources': ['../test-build/cuda/kernels.cpp'],
      'include_dirs': ['../build/generated/test'],
    },
    {
      # Nothing. In the test build gpu_injection.cpp takes its place.
      'target_name': 'launch_hooks',
      'type': 'static_library',
      'sources': ['../cuda/launch_hooks.cpp'],
    },
    {
      'target_name': 'sentinel_probes',
      'sources': ['addon.cpp'],
      'dependencies': [
        'cuda_backend', 'launch_hooks', 'nvml', 'execution', 'kernels', 'vector_backend', 'fp16_backend', 'bf16_backend', 'golden',
      ],
      'libraries': ['-ldl'],
    },
    {
      'target_name': 'gpu_logic_test',
      'type': 'executable',
      'sources': ['../test/native/gpu_logic.cpp'],
      'dependencies': [
        'cuda_backend', 'launch_hooks', 'nvml', 'execution', 'kernels', 'vector_backend', 'fp16_backend', 'bf16_backend', 'golden',
      ],
      'libraries': ['-ldl', '-lpthread'],
    },
    {
      # Measures a GPU without Node.js.
      'target_name': 'gpu_measure',
      'type': 'executable',
      'sources': ['../measure/checks.cpp', '../measure/main.cpp', '../measure/tenant.cpp'],
      'dependencies': [
        'cuda_backend', 'launch_hooks', 'nvml', 'execution', 'kernels', 'vector_backend', 'fp16_backend', 'bf16_backend', 'golden',
      ],
      'libraries': ['-ldl', '-lpthread'],
    },
    {
      'target_name': 'faulty_backend',
      'type': 'static_library',
      'conditions': [['target_arch=="x64"', {
        'sources': ['../test-build/exactness.cpp', '../test-build/faulty_backend.cpp'],
        'cflags_cc': ['<@(unit_flags_x64)'],
      }, {
        'sources': ['../cpu/absent_backend.cpp', '../test-build/absent_hardware.cpp'],
      }]],
    },
    {
      'target_name': 'faulty_fp16_backend',
      'type': 'static_library',
      'conditions': [['target_arch=="x64"', {
        'sources': ['../test-build/faulty_fp16_backend.cpp'],
        'cflags_cc': ['<@(avx512_flags_x64)', '-mavx512fp16'],
      }]],
    },
    {
      'target_name': 'faulty_bf16_backend',
      'type': 'static_library',
      'conditions': [['target_arch=="x64"', {
        'sources': ['../test-build/faulty_bf16_backend.cpp'],
        'cflags_cc': ['<@(avx512_flags_x64)', '<@(amx_flags_x64)', '-mavx512bf16'],
      }]],
    },
    {
      'target_name': 'gpu_injection',
      'type': 'static_library',
      'sources': ['../test-build/fault_plan.cpp', '../test-build/gpu_injection.cpp'],
    },
    {
      # Whether a GPU's faults are found where they are; without Node.js.
      'target_name': 'gpu_measure_faults',
      'type': 'executable',
      'sources': ['../test-build/measure_faults.cpp'],
      'dependencies': [
        'cuda_backend', 'gpu_injection', 'nvml', 'execution', 'test_kernels', 'vector_backend', 'fp16_backend', 'bf16_backend', 'golden',
      ],
      'libraries': ['-ldl', '-lpthread'],
    },
    {
      'target_name': 'sentinel_probes_test',
      'sources': [
        'addon.cpp', '../test-build/fault_fields.cpp', '../test-build/fault_values.cpp', '../test-build/test_functions.cpp',
        '../test-build/gpu_functions.cpp', '../test-build/gpu_targets.cpp',
        '../test-build/half_exactness.cpp', '../test-build/gates/coverage.cpp', '../test-build/gates/lanes.cpp', '../test-build/gates/multiplier.cpp',
      ],
      'defines': ['SENTINEL_FAULT_INJECTION'],
      'dependencies': [
        'cuda_backend', 'gpu_injection', 'nvml', 'execution', 'test_kernels', 'faulty_backend', 'faulty_fp16_backend', 'faulty_bf16_backend', 'golden',
      ],
      'libraries': ['-ldl'],
    },
  ],
}
