// What may reach a terminal, and how wide it gets there. Addresses, replies and headers come from strangers: none of
// their octets may move the cursor, change the window's title or turn the writing direction.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace qctl {

// One line of text that is safe to print: control and direction characters and what is not UTF-8 become \xNN or \u{NNNN};
// without `utf8` (a terminal of another character set) so does all that is not ASCII.
std::string printable_text(std::string_view octets, bool utf8);
// The same for many lines: line ends and tabs stay, a CR before LF goes.
std::string printable_lines(std::string_view octets, bool utf8);

// Columns on a terminal of text that printable_text() made.
std::size_t display_columns(std::string_view text);
// Cut to `width` columns with a mark at the end if it is longer.
std::string fitted(std::string_view text, std::size_t width, bool utf8);
// fitted(), filled up with blanks.
std::string padded(std::string_view text, std::size_t width, bool utf8);

std::string human_octets(std::uint64_t octets);                  // "512", "4.2K", "13M"
std::string human_duration(std::chrono::seconds duration);       // "42s", "5m", "2h05m", "3d04h", "120d"

// What standard output is.
struct Screen {
  bool is_terminal = false;
  bool colours = false;    // a terminal, NO_COLOR not set, TERM not "dumb"
  bool utf8 = true;        // the locale's character set; always for files and pipes
  std::size_t columns = 0; // 0: no limit
};
Screen screen_of(int fd);

}  // namespace qctl
