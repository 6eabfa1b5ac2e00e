// What mbedTLS has its memory from: its arithmetic takes and frees some hundred pieces of it a handshake. The calloc() of glibc before
// 2.41 takes none from the cache of freed pieces that each thread has, so that the cache stays full and each free() goes the long
// way too. The linker puts this in its place (TLS_LIBS in the Makefile) where programs are linked statically.
#include <cstddef>
#include <cstdlib>
#include <cstring>

extern "C" void* __wrap_calloc(std::size_t count, std::size_t size);

extern "C" void* __wrap_calloc(std::size_t count, std::size_t size) {
  std::size_t octets = 0;
  if (__builtin_mul_overflow(count, size, &octets)) return nullptr;
  void* memory = std::malloc(octets);
  asm("" : "+r"(memory));  // else the compiler makes a calloc() of the two
  if (memory != nullptr) std::memset(memory, 0, octets);
  return memory;
}
