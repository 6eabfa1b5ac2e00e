#include "lib/authn/canonical.h"

#include <mbedtls/sha256.h>
#include <mbedtls/version.h>

#include <algorithm>
#include <memory>

#include "lib/base/text.h"

namespace authn {

namespace {

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
constexpr std::string_view kCrLf = "\r\n";

class Sha256Stream {
 public:
  Sha256Stream() {
    mbedtls_sha256_init(&context_);
    start(&context_);
  }
  Sha256Stream(const Sha256Stream& other) {
    mbedtls_sha256_init(&context_);
    mbedtls_sha256_clone(&context_, &other.context_);
  }
  Sha256Stream& operator=(const Sha256Stream&) = delete;
  ~Sha256Stream() { mbedtls_sha256_free(&context_); }

  void update(std::string_view octets) {
    const auto* data = reinterpret_cast<const unsigned char*>(octets.data());
#if MBEDTLS_VERSION_MAJOR >= 3
    mbedtls_sha256_update(&context_, data, octets.size());
#else
    mbedtls_sha256_update_ret(&context_, data, octets.size());
#endif
  }
  [[nodiscard]] Sha256 finish() {
    Sha256 digest{};
#if MBEDTLS_VERSION_MAJOR >= 3
    mbedtls_sha256_finish(&context_, digest.data());
#else
    mbedtls_sha256_finish_ret(&context_, digest.data());
#endif
    return digest;
  }

 private:
  static void start(mbedtls_sha256_context* context) {
#if MBEDTLS_VERSION_MAJOR >= 3
    mbedtls_sha256_starts(context, 0);
#else
    mbedtls_sha256_starts_ret(context, 0);
#endif
  }
  mbedtls_sha256_context context_;
};

// Takes the pieces of a canonical body in their order and hashes them, up to each length that is asked for. Pieces that lie beside
// one another in memory are hashed as one.
class BodySink {
 public:
  void want(BodyHash& wanted) { wanted_.push_back(&wanted); }
  [[nodiscard]] bool is_needed() const { return !wanted_.empty(); }
  [[nodiscard]] bool is_empty() const { return octets_ == 0 && pending_.empty(); }

  void take(std::string_view piece) {
    if (piece.data() == pending_.data() + pending_.size()) {
      pending_ = {pending_.data(), pending_.size() + piece.size()};
    } else {
      flush();
      pending_ = piece;
    }
  }
  // Empty lines at the end of a body do not count (sections 3.4.3, 3.4.4): they wait for what may follow.
  void take_empty_line() { ++empty_lines_; }
  void take_waiting_lines() {
    for (; empty_lines_ > 0; --empty_lines_) take(kCrLf);
  }

  void finish() {
    flush();
    for (auto* wanted : wanted_) {
      wanted->canonical_octets = octets_;
      if (wanted->length && *wanted->length < octets_) continue;  // done on the way
      wanted->digest = Sha256Stream(hash_).finish();
    }
  }

 private:
  void flush() {
    while (!pending_.empty()) {
      const std::uint64_t end = next_length();
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(pending_.size(), end - octets_));
      hash_.update(pending_.substr(0, count));
      octets_ += count;
      pending_.remove_prefix(count);
      if (octets_ == end)
        for (auto* wanted : wanted_)
          if (wanted->length == end) wanted->digest = Sha256Stream(hash_).finish();
    }
    pending_ = {};
  }
  // The least length that is asked for and lies ahead.
  [[nodiscard]] std::uint64_t next_length() {
    std::uint64_t next = UINT64_MAX;
    for (auto* wanted : wanted_) {
      if (!wanted->length) continue;
      if (*wanted->length == 0 && octets_ == 0) wanted->digest = Sha256Stream().finish();
      if (*wanted->length > octets_) next = std::min(next, *wanted->length);
    }
    return next;
  }

  Sha256Stream hash_;
  std::string_view pending_{};
  std::uint64_t octets_ = 0;
  std::size_t empty_lines_ = 0;
  std::vector<BodyHash*> wanted_;
};

// Section 3.4.4: no blanks at the end of a line, one space for all others that stand together.
void take_relaxed(std::string_view line, BodySink& sink) {
  while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
  while (!line.empty()) {
    const auto blank = std::ranges::find_if(line, is_blank);
    const auto word_end = static_cast<std::size_t>(blank - line.begin());
    std::size_t blank_end = word_end;
    while (blank_end < line.size() && is_blank(line[blank_end])) ++blank_end;
    if (blank_end == word_end + 1 && line[word_end] == ' ') {
      sink.take(line.substr(0, blank_end));
    } else {
      sink.take(line.substr(0, word_end));
      if (blank_end > word_end) sink.take(" ");
    }
    line.remove_prefix(blank_end);
  }
}

// A canonical form of a body, piece by piece.
class BodyForm {
 public:
  explicit BodyForm(Canonicalization how) : how_(how) {}
  void want(BodyHash& wanted) { sink_.want(wanted); }

  // Whole lines with CRLF that need no change, as most of a body does not; none of them is empty.
  void take_whole(std::string_view lines) {
    if (!sink_.is_needed()) return;
    sink_.take_waiting_lines();
    sink_.take(lines);
  }
  // `text`: a line without its end. `line_end`: where its CRLF lies, or one that stands for it.
  void take_line(std::string_view text, std::string_view line_end) {
    if (!sink_.is_needed()) return;
    if (how_ == Canonicalization::Relaxed)
      while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    if (text.empty()) {
      sink_.take_empty_line();
      return;
    }
    sink_.take_waiting_lines();
    if (how_ == Canonicalization::Relaxed) {
      take_relaxed(text, sink_);
    } else {
      sink_.take(text);
    }
    sink_.take(line_end);
  }
  void finish() {
    // Section 3.4.3: a body without a line is one empty line, in the simple form.
    if (how_ == Canonicalization::Simple && sink_.is_empty()) sink_.take(kCrLf);
    sink_.finish();
  }

 private:
  Canonicalization how_;
  BodySink sink_;
};

// Something of these 64 octets is for take_line(): blanks that the relaxed form changes, empty lines, line ends of LF alone.
bool has_change(const char* block, bool has_next) {
  constexpr std::size_t kBlock = 64;
  unsigned char found = 0;
  if (!has_next) return true;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const char here = block[i];
    const char next = block[i + 1];
    const bool is_blank_here = (here == ' ') | (here == '\t');
    const bool is_end_next = (next == '\r') | (next == '\n') | (next == ' ') | (next == '\t');
    found |= static_cast<unsigned char>((here == '\t') | (is_blank_here & is_end_next) | ((next == '\n') & (here != '\r')) |
                                        ((here == '\n') & (next == '\r')));
  }
  return found != 0;
}

}  // namespace

Sha256 sha256(std::string_view octets) {
  Sha256Stream stream;
  stream.update(octets);
  return stream.finish();
}

std::size_t find_change(std::string_view text, std::size_t from) {
  constexpr std::size_t kBlock = 64;
  while (from + kBlock <= text.size() && !has_change(text.data() + from, from + kBlock < text.size())) from += kBlock;
  for (; from < text.size(); ++from) {  // as has_change() has it
    const char here = text[from];
    const char next = from + 1 < text.size() ? text[from + 1] : '\n';
    if (here == '\t') return from;
    if (here == ' ' && (is_blank(next) || next == '\r' || next == '\n')) return from;
    if (here == '\n' && (from == 0 || text[from - 1] != '\r')) return from;
    if (here == '\n' && next == '\r') return from;
  }
  return text.size();
}

void append_field(std::string& out, std::string_view field, Canonicalization how) {
  while (!field.empty() && (field.back() == '\n' || field.back() == '\r')) field.remove_suffix(1);
  if (how == Canonicalization::Simple) {
    for (const char c : field) {
      if (c == '\n' && (out.empty() || out.back() != '\r')) out += '\r';
      out += c;
    }
    out += kCrLf;
    return;
  }
  // Section 3.4.2: name in lower case, unfolded, one space for all blanks that stand together, none around the colon and at the end.
  const auto colon = field.find(':');
  std::string_view name = field.substr(0, colon);
  while (!name.empty() && is_blank(name.back())) name.remove_suffix(1);
  out += base::text::to_lower(name);
  out += ':';
  const std::string_view value = colon == std::string_view::npos ? std::string_view() : field.substr(colon + 1);
  bool is_start = true;
  bool has_blank = false;
  for (const char c : value) {
    if (c == '\r' || c == '\n') continue;
    if (is_blank(c)) {
      has_blank = true;
      continue;
    }
    if (has_blank && !is_start) out += ' ';
    out += c;
    has_blank = is_start = false;
  }
  out += kCrLf;
}

void hash_body(std::string_view body, std::span<BodyHash> wanted) {
  std::array forms = {BodyForm(Canonicalization::Simple), BodyForm(Canonicalization::Relaxed)};
  for (auto& each : wanted) forms[static_cast<std::size_t>(each.how)].want(each);
  while (!body.empty()) {
    const bool is_empty_line = body.front() == '\r' || body.front() == '\n';
    const std::size_t change = is_empty_line ? 0 : find_change(body, 0);
    const auto last_end = body.substr(0, change + 1).rfind(kCrLf);
    if (!is_empty_line && last_end != std::string_view::npos) {
      for (auto& form : forms) form.take_whole(body.substr(0, last_end + kCrLf.size()));
      body.remove_prefix(last_end + kCrLf.size());
      continue;
    }
    const auto newline = body.find('\n');
    std::string_view line = body.substr(0, newline);
    const bool has_cr = newline != std::string_view::npos && line.ends_with('\r');
    if (has_cr) line.remove_suffix(1);
    for (auto& form : forms) form.take_line(line, has_cr ? body.substr(line.size(), kCrLf.size()) : kCrLf);
    body.remove_prefix(newline == std::string_view::npos ? body.size() : newline + 1);
  }
  for (auto& form : forms) form.finish();
}

}  // namespace authn
