#include "deliver-maildir/unique_name.h"

#include <array>
#include <chrono>

namespace maildir {

std::string escape_host(std::string_view host) {
  struct Escape {
    char octet;
    std::string_view written;
  };
  constexpr auto kEscapes = std::to_array<Escape>({{'/', "\\057"}, {':', "\\072"}, {',', "\\054"}});
  std::string escaped;
  for (const char c : host) {
    std::string_view written(&c, 1);
    for (const auto& row : kEscapes)
      if (row.octet == c) written = row.written;
    escaped += written;
  }
  return escaped;
}

UniqueNames::UniqueNames(std::string_view host, int process_id) : host_(escape_host(host)), process_(std::to_string(process_id)) {}

std::string UniqueNames::next(base::WallTime now) {
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  std::string name = std::to_string(microseconds / 1'000'000);
  name += ".M" + std::to_string(microseconds % 1'000'000);
  name += "P" + process_;
  name += "Q" + std::to_string(++count_);
  name += "." + host_;
  return name;
}

}  // namespace maildir
