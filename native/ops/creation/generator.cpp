#include "ops/creation/generator.h"

namespace threadwheel {

Draws::State& Draws::state() {
  static State state;
  return state;
}

}  // namespace threadwheel
