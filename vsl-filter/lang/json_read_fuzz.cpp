// Any octets as JSON: what is read is written and read again the same, what is refused names a place in the text; and another reader
// agrees whether it is JSON.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "vsl-filter/lang/json.h"
#include "vsl-filter/lang/text.h"

namespace {

constexpr vsl::MemoryLimits kLimits{.octets = 16 << 20, .string_octets = 1 << 20, .elements = 100'000};

std::string written(const vsl::Value& value) {
  std::string out;
  if (!vsl::json::write(out, value)) std::abort();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  vsl::Heap heap(kLimits);
  const auto value = vsl::json::read(heap, text);
  if (!value) {
    if (value.error().message().empty() || value.error().line > size + 1 || value.error().column > size + 1) std::abort();
    // It takes a mark of the byte order (RFC 8259, section 8.1, allows both), reads as far as a NUL, and has no limits.
    const bool is_deep = std::ranges::count(text, '[') + std::ranges::count(text, '{') > vsl::json::kDeepest;
    const bool is_ours = value.error().is_too_large || is_deep || text.starts_with("\xEF\xBB\xBF") || text.find('\0') != std::string::npos;
    if (!is_ours && nlohmann::json::accept(text)) std::abort();
    return 0;
  }
  if (!nlohmann::json::accept(text)) std::abort();
  const std::string once = written(*value);
  vsl::Heap other(kLimits);
  const auto again = vsl::json::read(other, once);
  if (!again || written(*again) != once || vsl::debug_of(*again) != vsl::debug_of(*value)) std::abort();
  return 0;
}
