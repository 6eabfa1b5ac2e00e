// Source texts and places in them. A place is two or three numbers; line and column are worked out when one is printed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vsl {

using SourceId = std::uint32_t;

// Octets [begin, end) of one source.
struct Span {
  SourceId source = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  friend bool operator==(const Span&, const Span&) = default;
};

// From the start of `first` to the end of `last`, both of one source.
constexpr Span joined(Span first, Span last) { return {first.source, first.begin, last.end}; }
// The empty place directly behind `span`.
constexpr Span behind(Span span) { return {span.source, span.end, span.end}; }

// As people count: both from 1, columns in code points.
struct Location {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

// One script. Its text never moves: tokens and syntax trees point into it.
class Source {
 public:
  Source(SourceId id, std::string name, std::string text);
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  [[nodiscard]] SourceId id() const { return id_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] std::string_view text(Span span) const;

  [[nodiscard]] Location locate(std::uint32_t offset) const;
  // Line numbers from 1; without the line's end.
  [[nodiscard]] std::string_view line(std::uint32_t number) const;
  [[nodiscard]] std::uint32_t lines() const { return static_cast<std::uint32_t>(line_starts_.size()); }
  [[nodiscard]] std::uint32_t line_start(std::uint32_t number) const { return line_starts_[number - 1]; }

 private:
  SourceId id_;
  std::string name_;
  std::string text_;
  std::vector<std::uint32_t> line_starts_;
};

// All sources of one rule set; a SourceId is an index here. Lives as long as what was compiled from it.
class Sources {
 public:
  const Source& add(std::string name, std::string text);
  [[nodiscard]] const Source& at(SourceId id) const { return *all_[id]; }
  [[nodiscard]] bool has(SourceId id) const { return id < all_.size(); }
  [[nodiscard]] std::size_t size() const { return all_.size(); }
  [[nodiscard]] Location locate(Span span) const { return at(span.source).locate(span.begin); }

 private:
  std::vector<std::unique_ptr<Source>> all_;
};

}  // namespace vsl
