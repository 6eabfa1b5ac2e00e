// The memory of one run (or of one load, which then belongs to the Program): free lists by size over chunks, large pieces singly.
// All of it goes away at once at the end; values still pointing into it must be gone by then.
//
// Allocation never fails for want of budget: the heap notes that it is over, and the virtual machine ends the run at the next call
// or loop. So a native function that makes something large in one go asks may_hold_...() first; anything else need not care.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "vsl-filter/lang/value.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VSL_SANITIZED
#endif
#endif

namespace vsl {

struct MemoryLimits {
  std::size_t octets = 64 << 20;             // of all that a run holds at a time
  std::size_t string_octets = 16 << 20;      // of one string or blob
  std::size_t elements = 1'000'000;          // of one array or map
};

class Heap {
 public:
  explicit Heap(const MemoryLimits& limits = {}) : limits_(limits) {}
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;
  ~Heap();

  Value string(std::string_view text) {
    return text.size() <= Value::kShortOctets ? Value::short_string(text) : long_string(text, text.size());
  }
  Value array(std::size_t room = 0);
  Value array(std::span<const Value> elements);
  Value blob(std::span<const std::uint8_t> bytes);
  Value map();
  Value range(std::int64_t first, std::int64_t last, bool is_inclusive);
  // `module`: where the pointer was made, and its name is looked for.
  Value function(const Code* code, const Value& name, std::span<const Value> captured, std::span<const Value> curried,
                 const ModuleCode* module = nullptr);
  Value cell(Value value);
  Value host(const HostClass& host_class, void* data);

  // target += text, in place where nobody else sees the string.
  void append(Value& target, std::string_view text);
  Value concatenate(std::string_view a, std::string_view b);

  [[nodiscard]] bool may_hold_string(std::size_t octets) const { return octets <= limits_.string_octets; }
  [[nodiscard]] bool may_hold_elements(std::size_t count) const { return count <= limits_.elements; }
  // Something outgrew its limit: the run ends soon.
  [[nodiscard]] bool is_over() const { return used_ > limits_.octets || too_large_ != nullptr; }
  // What did: "String", "Array", "Map", "Memory".
  [[nodiscard]] std::string_view what_is_over() const { return too_large_ != nullptr ? too_large_ : "Memory"; }
  void note_too_large(const char* what) { too_large_ = what; }
  void forget_too_large() { too_large_ = nullptr; }

  [[nodiscard]] std::size_t used() const { return used_; }
  [[nodiscard]] const MemoryLimits& limits() const { return limits_; }
  void set_limits(const MemoryLimits& limits) { limits_ = limits; }

  // Makes all that can be reached from these immortal, and whatever is computed on demand computed.
  static void freeze(std::span<Value> roots);

  // Raw memory of this heap, for objects' elements.
  void* allocate(std::size_t octets);
  void deallocate(void* memory, std::size_t octets);
  // The first `used` octets in a larger place.
  void* enlarge(void* memory, std::size_t used, std::size_t old_octets, std::size_t new_octets);
  // An object whose count fell to 0.
  void destroy(Object* object) noexcept;

 private:
  static constexpr std::size_t kStep = 16;
#if defined(__SANITIZE_ADDRESS__) || defined(VSL_SANITIZED)
  static constexpr std::size_t kLargestSmall = 0;  // the sanitizer shall see each object
#else
  static constexpr std::size_t kLargestSmall = 512;
#endif
  static constexpr std::size_t kFirstChunk = 4 << 10;
  static constexpr std::size_t kLargestChunk = 256 << 10;
  struct Free { Free* next; };
  struct Large { Large* next; Large** link; };

  template <class T>
  T* make(Tag tag, std::size_t more_octets = 0);
  Value long_string(std::string_view text, std::size_t room);
  void* allocate_from_chunk(std::size_t octets);
  void* allocate_large(std::size_t octets);
  void end(Object* object) noexcept;

  MemoryLimits limits_;
  std::size_t used_ = 0;
  const char* too_large_ = nullptr;
  std::array<Free*, kLargestSmall / kStep + 1> free_{};
  char* chunk_ = nullptr;
  char* chunk_end_ = nullptr;
  std::size_t next_chunk_ = kFirstChunk;
  std::vector<std::unique_ptr<char[]>> chunks_;
  Large* large_ = nullptr;
  HostObject* hosts_ = nullptr;
  Object* dying_ = nullptr;
  bool is_destroying_ = false;
};

}  // namespace vsl
