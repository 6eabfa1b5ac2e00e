#include "qctl/output.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "lib/base/clock.h"
#include "lib/base/io.h"

namespace qctl {
namespace {
constexpr std::size_t kWriteOctets = 65536;
constexpr std::uint64_t kFirstDrawMilliseconds = 300;  // shorter work shows no bar
constexpr std::uint64_t kDrawEveryMilliseconds = 100;
constexpr std::string_view kWipe = "\r\x1b[K";

struct StyleRow {
  Output::Style style;
  std::string_view sequence;  // ECMA-48 SGR
};
constexpr auto kStyles = std::to_array<StyleRow>({
    {Output::Style::Plain, ""},
    {Output::Style::Strong, "\x1b[1m"},
    {Output::Style::Faint, "\x1b[2m"},
    {Output::Style::Red, "\x1b[31m"},
    {Output::Style::Green, "\x1b[32m"},
    {Output::Style::Yellow, "\x1b[33m"},
    {Output::Style::Blue, "\x1b[34m"},
    {Output::Style::Magenta, "\x1b[35m"},
});
}  // namespace

void Output::write_out() {
  if (status_) status_ = base::write_all(fd_, waiting_);
  waiting_.clear();
}

void Output::put(std::string_view text) {
  if (!status_) return;
  waiting_ += text;
  if (screen_.is_terminal || waiting_.size() >= kWriteOctets) write_out();
}

base::Result<void> Output::flush() {
  write_out();
  return status_;
}

std::string Output::styled(std::string_view text, Style style) const {
  const auto& row = kStyles[static_cast<std::size_t>(style)];
  assert(row.style == style);
  if (!screen_.colours || style == Style::Plain) return std::string(text);
  return std::string(row.sequence) + std::string(text) + "\x1b[0m";
}

Progress::Progress(std::string_view what, std::uint64_t all)
    : what_(what), all_(all), drawn_milliseconds_(base::monotonic_milliseconds() + kFirstDrawMilliseconds - kDrawEveryMilliseconds), screen_(screen_of(2)) {}

Progress::~Progress() { wipe(); }

void Progress::step() {
  ++done_;
  if (!screen_.is_terminal || base::monotonic_milliseconds() < drawn_milliseconds_ + kDrawEveryMilliseconds) return;
  draw();
}

void Progress::draw() {
  drawn_milliseconds_ = base::monotonic_milliseconds();
  is_drawn_ = true;
  (void)base::write_all(2, std::string(kWipe) + progress_text(what_, done_, all_, screen_.columns));  // only an ornament
}

void Progress::wipe() {
  if (is_drawn_) (void)base::write_all(2, kWipe);
  is_drawn_ = false;
}

std::string progress_text(std::string_view what, std::uint64_t done, std::uint64_t all, std::size_t columns) {
  constexpr std::size_t kBarColumns = 40;
  if (all == 0) return std::string(what) + " " + std::to_string(done);
  const std::uint64_t of = std::max<std::uint64_t>(all, 1);
  const std::string percent = std::to_string(std::min<std::uint64_t>(done * 100 / of, 100));
  const std::string numbers = std::string(4 - std::min<std::size_t>(percent.size(), 3), ' ') + percent + "% " + std::to_string(done) + "/" + std::to_string(all);
  const std::size_t taken = what.size() + 3 + numbers.size() + 1;  // the last column stays free: some terminals wrap there
  const std::size_t bar = std::min(kBarColumns, columns > taken ? columns - taken : 0);
  const std::size_t full = static_cast<std::size_t>(std::min<std::uint64_t>(done * bar / of, bar));
  return std::string(what) + " [" + std::string(full, '#') + std::string(bar - full, '-') + "]" + numbers;
}

}  // namespace qctl
