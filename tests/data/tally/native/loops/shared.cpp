#include <threadwheel/at.h>

#include "../loops.h"

void loop(std::int64_t n, const std::function<void(std::int64_t, std::int64_t)>& body) {
  at::parallel_for(0, n, 1000, body);
}

int num_threads() { return at::get_num_threads(); }
