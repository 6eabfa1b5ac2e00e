// Where results go: standard output in large writes, progress on standard error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/result.h"
#include "qctl/display.h"

namespace qctl {

// A failed write stays failed: later put() calls do nothing, flush() says what happened. A reader that had enough
// (`qctl list | head`) is EPIPE in its error_number; the caller stops and takes it for success.
class Output {
 public:
  explicit Output(int fd) : fd_(fd), screen_(screen_of(fd)) {}

  [[nodiscard]] const Screen& screen() const { return screen_; }
  void put(std::string_view text);
  // On a terminal, or when `text` shall be seen before something slow.
  [[nodiscard]] base::Result<void> flush();
  [[nodiscard]] bool has_failed() const { return !status_.has_value(); }

  // `text` in a colour if this screen has them.
  enum class Style : std::uint8_t { Plain, Strong, Faint, Red, Green, Yellow, Blue, Magenta };
  [[nodiscard]] std::string styled(std::string_view text, Style style) const;

 private:
  void write_out();

  int fd_;
  Screen screen_;
  std::string waiting_;
  base::Result<void> status_;
};

// A bar on standard error for work that takes longer than a moment; nothing if that is not a terminal.
class Progress {
 public:
  Progress(std::string_view what, std::uint64_t all);  // 0: how many there are is not known yet
  ~Progress();  // wipes the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void step();
  // Before other text goes to the terminal.
  void wipe();

 private:
  void draw();

  std::string what_;
  std::uint64_t all_;
  std::uint64_t done_ = 0;
  std::uint64_t drawn_milliseconds_;
  Screen screen_;
  bool is_drawn_ = false;
};
// The bar's text, for tests: "moving [#####-----]  50% 10/20".
std::string progress_text(std::string_view what, std::uint64_t done, std::uint64_t all, std::size_t columns);

}  // namespace qctl
