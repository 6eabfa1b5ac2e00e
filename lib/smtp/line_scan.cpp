#include "lib/smtp/line_scan.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace smtp {
namespace {

// One bit an octet of a block, the first octet in the lowest bit.
struct Marks {
  std::uint64_t cr = 0, lf = 0, dot = 0;
};

#if defined(__SSE2__)
Marks marks_of(const char* block) {
  const __m128i cr = _mm_set1_epi8('\r'), lf = _mm_set1_epi8('\n'), dot = _mm_set1_epi8('.');
  const auto bits = [](__m128i equal) { return static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(equal))); };
  Marks marks;
  for (unsigned i = 0; i < LineScan::kBlock; i += 16) {
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + i));
    marks.cr |= bits(_mm_cmpeq_epi8(octets, cr)) << i;
    marks.lf |= bits(_mm_cmpeq_epi8(octets, lf)) << i;
    marks.dot |= bits(_mm_cmpeq_epi8(octets, dot)) << i;
  }
  return marks;
}
#else
Marks marks_of(const char* block) {
  Marks marks;
  for (unsigned i = 0; i < LineScan::kBlock; ++i) {
    marks.cr |= static_cast<std::uint64_t>(block[i] == '\r') << i;
    marks.lf |= static_cast<std::uint64_t>(block[i] == '\n') << i;
    marks.dot |= static_cast<std::uint64_t>(block[i] == '.') << i;
  }
  return marks;
}
#endif

}  // namespace

std::size_t LineScan::plain_prefix(std::string_view octets) {
  std::uint64_t cr_before = 0;                      // bit 0: the octet before the block is a CR
  std::uint64_t start_before = is_line_start ? 1 : 0;  // bit 0: the block begins a line
  const std::uint64_t dots_minded = minds_dots ? ~std::uint64_t{0} : 0;
  std::ptrdiff_t line_begin = -static_cast<std::ptrdiff_t>(line_octets);
  std::size_t at = 0;
  std::size_t plain = octets.size();

  const auto end_lines = [&](std::uint64_t ends) {  // lines that lie inside one block are shorter than any limit
    if (ends == 0) return;
    const auto first_end = static_cast<std::ptrdiff_t>(at) + std::countr_zero(ends) + 1;
    longest_line_octets = std::max(longest_line_octets, static_cast<std::size_t>(first_end - line_begin));
    line_begin = static_cast<std::ptrdiff_t>(at) + 64 - std::countl_zero(ends);
  };

  while (at < octets.size()) {
    const std::size_t left = octets.size() - at;
    Marks marks;
    if (left >= kBlock) {
      marks = marks_of(octets.data() + at);
    } else {
      char block[kBlock] = {};
      std::memcpy(block, octets.data() + at, left);
      marks = marks_of(block);  // the octet behind the end is no LF, so a CR at the end shows as alone
    }
    const std::uint64_t after_cr = marks.cr << 1 | cr_before;
    const std::uint64_t ends = marks.lf & after_cr;
    const std::uint64_t alone = marks.lf ^ after_cr;  // an LF alone, or the octet behind a CR alone
    const std::uint64_t care = alone | (marks.dot & dots_minded & (ends << 1 | start_before));
    if (care != 0) {
      const unsigned bit = static_cast<unsigned>(std::countr_zero(care));
      const std::uint64_t before = (std::uint64_t{1} << bit) - 1;
      end_lines(ends & before);
      plain = at + bit;
      const bool is_behind_cr = (alone & ~marks.lf) >> bit & 1;
      if (is_behind_cr) --plain;
      break;
    }
    end_lines(ends);
    cr_before = marks.cr >> 63;
    start_before = ends >> 63;
    at += kBlock;
  }
  // A CR in the last place of a full block at the very end has no block behind it to show it as alone.
  if (plain == octets.size() && !octets.empty() && octets.back() == '\r') --plain;

  if (plain > 0) is_line_start = octets[plain - 1] == '\n';  // inside the plain part each LF ends a line
  line_octets = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(plain) - line_begin);
  if (is_line_start && plain > 0) line_octets = 0;
  longest_line_octets = std::max(longest_line_octets, line_octets);
  return plain;
}

}  // namespace smtp
