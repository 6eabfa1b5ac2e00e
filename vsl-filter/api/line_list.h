// The lines of `object NAME file:TYPE = PATH` as text with an index: objects are made of those that rules ask for.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "vsl-filter/api/group.h"
#include "vsl-filter/lang/heap.h"

namespace rules {

class LineList {
 public:
  // A type whose objects the index knows all about; lists of others (regexes, ranges) are made as groups are.
  [[nodiscard]] static bool holds(std::string_view type);

  LineList(std::string content, std::string_view type);
  LineList(const LineList&) = delete;
  LineList& operator=(const LineList&) = delete;

  [[nodiscard]] std::string_view type() const { return type_; }
  [[nodiscard]] std::string_view content() const { return content_; }
  // Lines of content(), in turn; the error is that of the constructor of the type. Then finish().
  void reserve(std::size_t lines);
  [[nodiscard]] std::expected<void, std::string> add(std::string_view line);
  void finish() { index_.finish(); }

  [[nodiscard]] std::size_t size() const { return lines_.size(); }
  [[nodiscard]] vsl::Value element(vsl::Heap& heap, std::size_t position) const;
  [[nodiscard]] vsl::Value array(vsl::Heap& heap) const;
  [[nodiscard]] const GroupIndex& index() const { return index_; }

 private:
  struct Line {
    std::uint32_t start, length;
  };
  std::string content_;
  std::string_view type_;  // without its aliases
  std::vector<Line> lines_;
  GroupIndex index_;
};

}  // namespace rules
