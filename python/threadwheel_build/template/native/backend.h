// What a backend defines: one file of backends/, chosen by CMake.
#pragma once

#include <cstdint>

// The sum of the squares of 0 to n - 1, computed by several threads.
std::int64_t sum_of_squares(std::int64_t n);
