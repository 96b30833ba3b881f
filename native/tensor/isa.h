// THREADWHEEL_KERNEL marks a kernel that is compiled once per instruction set level and chosen at load time, so that
// one library runs on every x86-64 and uses AVX2 or AVX-512 where the machine has them. Rules for such functions:
// helpers are THREADWHEEL_INLINE (a call out of a clone would land in baseline code), and no __builtin_fma (a library
// call in the baseline clone); write a * b + c.
#pragma once

#define THREADWHEEL_INLINE inline __attribute__((always_inline))

// Sanitizers instrument the resolvers, which run before their runtime is up; their builds take the baseline.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define THREADWHEEL_KERNEL __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define THREADWHEEL_KERNEL
#endif

namespace threadwheel {

// The level that this machine's kernels run at.
inline const char* kernel_isa() {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
  if (__builtin_cpu_supports("x86-64-v4")) return "x86-64-v4";
  if (__builtin_cpu_supports("x86-64-v3")) return "x86-64-v3";
#endif
  return "baseline";
}

}  // namespace threadwheel
