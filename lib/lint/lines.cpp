// Line ends, line lengths and NUL: RFC 5322 sections 2.1, 2.1.1 and 2.3.
#include <algorithm>

#include "lib/base/utf8.h"
#include "lib/lint/check.h"

namespace lint {
namespace {

constexpr std::size_t kMaxLineOctets = 998;
constexpr std::size_t kRecommendedCharacters = 78;

struct LineEnds {
  std::size_t crlf = 0, lf = 0;
};

// The first lines tell what a file uses; a message of one kind is seen at once, a mixed one is judged by its most.
LineEnds count_line_ends(std::string_view octets) {
  LineEnds ends;
  for (auto feed = octets.find('\n'); feed != std::string_view::npos; feed = octets.find('\n', feed + 1)) ++(feed > 0 && octets[feed - 1] == '\r' ? ends.crlf : ends.lf);
  return ends;
}

bool has_more_characters(std::string_view line, std::size_t limit) {
  for (std::size_t count = 0; !line.empty(); ++count) {
    if (count == limit) return true;
    line.remove_prefix(std::max<std::size_t>(base::utf8::sequence_octets(line), 1));
  }
  return false;
}

class LineChecker {
 public:
  explicit LineChecker(const Subject& subject) : subject_(subject), octets_(subject.message.octets()) {
    if (subject.rules.is_wire) return;
    const auto ends = count_line_ends(octets_);
    wants_crlf_ = ends.crlf > 0 && ends.crlf >= ends.lf;
  }

  void run() {
    const bool has_nul = octets_.contains('\0');
    const bool has_return = octets_.contains('\r');
    while (at_ < octets_.size()) {
      const auto feed = octets_.find('\n', at_);
      const bool has_end = feed != std::string_view::npos;
      const auto end = has_end ? feed : octets_.size();
      check_line(octets_.substr(at_, end - at_), has_end, has_return);
      at_ = has_end ? feed + 1 : end;
    }
    if (has_nul) check_nul();
    if (!octets_.empty() && !octets_.ends_with('\n')) subject_.findings.add(Id::NoLineEnd, octets_.size());
  }

 private:
  void check_line(std::string_view line, bool has_end, bool has_return) {
    const bool is_crlf = has_end && line.ends_with('\r');
    if (is_crlf) line.remove_suffix(1);
    if (has_end && !is_crlf && wants_crlf_) add(Id::BareLf, at_ + line.size());
    if (is_crlf && !wants_crlf_) add(Id::MixedLineEnds, at_ + line.size());
    if (has_return)
      for (auto cr = line.find('\r'); cr != std::string_view::npos; cr = line.find('\r', cr + 1)) add(Id::BareCr, at_ + cr);
    if (line.size() > kRecommendedCharacters) check_length(line);
  }

  void check_length(std::string_view line) {
    if (line.size() > kMaxLineOctets) {
      add(Id::LineTooLong, at_ + kMaxLineOctets, std::to_string(line.size()));
    } else if (!is_encoded() && has_more_characters(line, kRecommendedCharacters)) {
      subject_.findings.add(Id::LongLine, at_ + kRecommendedCharacters, 1, std::to_string(line.size()));
    }
  }

  // The part whose body the current line is in; nullptr in a header. Asked for long lines only, in their order.
  const mail::Part* part_of_line() {
    const auto parts = subject_.message.parts();
    while (part_ + 1 < parts.size() && parts[part_ + 1].offset <= at_) ++part_;
    const auto& part = parts[part_];
    return at_ >= part.body && at_ < part.end ? &part : nullptr;
  }
  bool is_binary() {
    const auto* part = part_of_line();
    return part != nullptr && part->kind == mail::Part::Kind::Leaf && part->encoding == mail::TransferEncoding::Binary;
  }
  // Their own limit of 76 is checked with the encoding.
  bool is_encoded() {
    const auto* part = part_of_line();
    return part != nullptr && part->kind == mail::Part::Kind::Leaf && !is_identity(part->encoding);
  }

  // In binary parts all octets are what they are (RFC 2045 section 6.2).
  void add(Id id, std::size_t offset, std::string detail = {}) {
    if (!is_binary()) subject_.findings.add(id, offset, 1, std::move(detail));
  }

  void check_nul() {
    part_ = 0;
    for (auto nul = octets_.find('\0'); nul != std::string_view::npos; nul = octets_.find('\0', nul + 1)) {
      at_ = nul;
      add(Id::Nul, nul);
    }
  }

  const Subject& subject_;
  std::string_view octets_;
  std::size_t at_ = 0;
  std::size_t part_ = 0;
  bool wants_crlf_ = true;
};

}  // namespace

void check_lines(const Subject& subject) { LineChecker(subject).run(); }

}  // namespace lint
