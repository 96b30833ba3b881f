#include "engine.h"

namespace solver {
const char* build_info_json() noexcept;
}

extern "C" {
double solver_dot(const double* a, const double* b, long n) {
#ifdef SOLVER_CHECKS
  if (a == nullptr || b == nullptr || n < 0) return -1;
#endif
  return dot(a, b, n);
}
const char* solver_build_info() { return solver::build_info_json(); }
}
