// The loops that bench/add.py runs beside an addition: c = a + b on `num_threads` threads, each with a part of its own,
// with ordinary stores or with stores around the caches. `n` is a multiple of 16 for each thread, c is aligned to 64.
#include <immintrin.h>

#include <thread>
#include <vector>

namespace {

__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void add_ordinary(
    const float* a, const float* b, float* c, long n) {
  for (long i = 0; i < n; ++i) c[i] = a[i] + b[i];
}

// 16 bytes at a time, four to a line: as fast as wider ones, since whole lines leave the processor either way.
void add_streaming(const float* a, const float* b, float* c, long n) {
  for (long i = 0; i < n; i += 4) _mm_stream_ps(c + i, _mm_add_ps(_mm_loadu_ps(a + i), _mm_loadu_ps(b + i)));
  _mm_sfence();
}

}  // namespace

extern "C" void plain_add(const float* a, const float* b, float* c, long n, int num_threads, int streaming) {
  const auto add = streaming != 0 ? add_streaming : add_ordinary;
  const long part = n / num_threads;
  std::vector<std::thread> threads;
  for (int i = 1; i < num_threads; ++i)
    threads.emplace_back([=] { add(a + i * part, b + i * part, c + i * part, part); });
  add(a, b, c, part);
  for (std::thread& thread : threads) thread.join();
}
