// In place of the providers, in programs that call none: the fuzzer is built of the few files that it needs.
#include "parallel/libraries.h"

namespace threadwheel::libraries {

void set_blas_threads(int) noexcept {}

}  // namespace threadwheel::libraries
