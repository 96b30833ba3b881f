#include "../loops.h"

void loop(std::int64_t n, const std::function<void(std::int64_t, std::int64_t)>& body) { body(0, n); }

int num_threads() { return 1; }
