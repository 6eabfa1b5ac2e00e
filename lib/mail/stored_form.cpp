#include "lib/mail/stored_form.h"

#include <array>
#include <cstring>
#include <ctime>
#include <span>

#include "lib/base/io.h"
#include "lib/base/text.h"

namespace mail {
namespace {

constexpr std::size_t kBufferOctets = 131072;

// Length of the line at the front, with its LF.
std::size_t line_octets(std::string_view text) {
  const auto end = text.find('\n');
  return end == std::string_view::npos ? text.size() : end + 1;
}

bool is_return_path(std::string_view line) {
  constexpr std::string_view kName = "return-path";
  if (!base::text::starts_with_ignoring_case(line, kName)) return false;
  line.remove_prefix(kName.size());
  while (!line.empty() && base::text::is_space(line.front())) line.remove_prefix(1);  // RFC 5322 section 4.5
  return line.starts_with(':');
}

// Length of the field at the front: its line and those that continue it (RFC 5322 section 2.2.3).
std::size_t field_octets(std::string_view text) {
  std::size_t length = line_octets(text);
  while (length < text.size() && base::text::is_space(text[length])) length += line_octets(text.substr(length));
  return length;
}

// Collects small pieces so that a message of 4 KB is one write(2), and one of 100 MB some hundreds.
class Buffer {
 public:
  Buffer(int fd, std::span<char> space) : fd_(fd), space_(space) {}

  base::Result<void> append(std::string_view octets) {
    octets_ += octets.size();
    if (octets.size() > space_.size() - used_) {
      if (auto flushed = flush(); !flushed) return flushed;
      if (octets.size() > space_.size()) return base::write_all(fd_, octets);
    }
    std::memcpy(space_.data() + used_, octets.data(), octets.size());
    used_ += octets.size();
    return {};
  }
  base::Result<void> flush() { return base::write_all(fd_, {space_.data(), std::exchange(used_, 0)}); }
  [[nodiscard]] std::uint64_t octets() const { return octets_; }

 private:
  int fd_;
  std::span<char> space_;
  std::size_t used_ = 0;
  std::uint64_t octets_ = 0;
};

// ">"* "From "
bool is_from_line(std::string_view line) {
  const auto quotes = line.find_first_not_of('>');
  return quotes != std::string_view::npos && line.substr(quotes).starts_with("From ");
}

// One piece with other line ends. Pieces end between lines, or at the end of the message.
base::Result<void> append_converted(Buffer& out, std::string_view octets, LineEnd line_end, FromLines from_lines, std::uint64_t& bare_lfs) {
  const std::string_view end = line_end == LineEnd::Lf ? "\n" : "\r\n";
  while (!octets.empty()) {
    const auto length = line_octets(octets);
    auto line = octets.substr(0, length);
    octets.remove_prefix(length);
    const bool is_ended = line.ends_with('\n');
    if (is_ended) line.remove_suffix(line.ends_with("\r\n") ? 2 : 1);
    if (from_lines == FromLines::Quoted && is_from_line(line))
      if (auto appended = out.append(">"); !appended) return appended;
    if (auto appended = out.append(line); !appended) return appended;
    if (!is_ended) break;
    if (line_end == LineEnd::Lf && !line.ends_with('\r')) ++bare_lfs;
    if (auto appended = out.append(end); !appended) return appended;
  }
  return {};
}

}  // namespace

std::string delivery_fields(const std::optional<std::string>& sender, std::string_view recipient) {
  std::string fields;
  if (sender) fields += "Return-Path: <" + *sender + ">\n";
  if (!recipient.empty()) {
    fields += "Delivered-To: ";
    fields += recipient;
    fields += '\n';
  }
  return fields;
}

Segments without_return_path(std::string_view message) {
  Segments segments;
  std::size_t kept_from = 0;
  for (std::size_t at = 0; at < message.size();) {
    const auto rest = message.substr(at);
    if (rest.front() == '\n' || rest.starts_with("\r\n")) break;
    const auto length = field_octets(rest);
    if (is_return_path(rest)) {
      if (at > kept_from) segments.push_back(message.substr(kept_from, at - kept_from));
      kept_from = at + length;
    }
    at += length;
  }
  if (kept_from < message.size()) segments.push_back(message.substr(kept_from));
  return segments;
}

base::Result<StoredSize> write_stored(int fd, std::string_view fields, const Segments& message, LineEnd line_end, FromLines from_lines) {
  thread_local std::vector<char> space(kBufferOctets);
  Buffer out(fd, space);
  std::uint64_t bare_lfs = 0;
  if (auto appended = append_converted(out, fields, line_end, FromLines::AsTheyAre, bare_lfs); !appended) return std::unexpected(appended.error());
  for (const auto segment : message)
    if (auto appended = append_converted(out, segment, line_end, from_lines, bare_lfs); !appended) return std::unexpected(appended.error());
  if (auto flushed = out.flush(); !flushed) return std::unexpected(flushed.error());
  return StoredSize{out.octets(), out.octets() + bare_lfs};
}

std::string mbox_from_line(std::string_view sender, base::WallTime now) {
  std::string line = "From ";
  // Whoever reads it takes what stands between the first two blanks for the address.
  for (const char c : sender.empty() ? std::string_view("MAILER-DAEMON") : sender) line += static_cast<unsigned char>(c) <= ' ' ? '-' : c;
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts = {};
  ::localtime_r(&seconds, &parts);
  std::array<char, 40> text;
  const auto length = std::strftime(text.data(), text.size(), " %a %b %e %H:%M:%S %Y\n", &parts);  // asctime(3)'s form; the locale is "C"
  return line.append(text.data(), length);
}

}  // namespace mail
