#pragma once

#include <cstdint>
#include <functional>

/// Calls `body(begin, end)` for disjoint ranges that cover 0 .. n, on several threads where there are some.
void loop(std::int64_t n, const std::function<void(std::int64_t, std::int64_t)>& body);
int num_threads();
