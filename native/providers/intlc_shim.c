/* The two functions that a oneDNN built with Intel's compiler takes from libintlc.so.5. Linked as a library of its own
   beside oneDNN, under a name of its own: a stand-in under Intel's name would break Intel libraries loaded later. */
#include <string.h>

void* _intel_fast_memcpy(void* destination, const void* source, size_t size) {
  return memcpy(destination, source, size);
}

void* _intel_fast_memset(void* destination, int value, size_t size) { return memset(destination, value, size); }
