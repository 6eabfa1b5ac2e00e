// "17 of 300 files" on a terminal, when it takes longer than a moment; gone before anything else is printed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace base {

class ProgressLine {
 public:
  // Nothing is shown for a single thing, or when standard error is no terminal. `things`: "files".
  ProgressLine(std::size_t count, std::string_view things);
  ~ProgressLine() { hide(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void step();  // one more is done
  void hide();

 private:
  std::size_t count_, done_ = 0;
  std::string things_;
  bool is_shown_, is_visible_ = false;
  std::uint64_t next_;
};

}  // namespace base
