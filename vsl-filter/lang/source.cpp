#include "vsl-filter/lang/source.h"

#include <algorithm>
#include <cstring>

namespace vsl {

Source::Source(SourceId id, std::string name, std::string text) : id_(id), name_(std::move(name)), text_(std::move(text)) {
  line_starts_.reserve(text_.size() / 32 + 1);
  line_starts_.push_back(0);
  const char* const begin = text_.data();
  const char* const end = begin + text_.size();
  for (const char* at = begin; (at = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)))) != nullptr;) {
    line_starts_.push_back(static_cast<std::uint32_t>(++at - begin));
  }
}

std::string_view Source::text(Span span) const {
  const auto begin = std::min<std::size_t>(span.begin, text_.size());
  const auto end = std::clamp<std::size_t>(span.end, begin, text_.size());
  return std::string_view(text_).substr(begin, end - begin);
}

Location Source::locate(std::uint32_t offset) const {
  offset = std::min<std::uint32_t>(offset, static_cast<std::uint32_t>(text_.size()));
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  const std::uint32_t start = *(after - 1);
  // Octets 10xxxxxx continue a code point.
  const auto points = std::count_if(text_.begin() + start, text_.begin() + offset, [](char c) { return (c & 0xC0) != 0x80; });
  return {static_cast<std::uint32_t>(after - line_starts_.begin()), static_cast<std::uint32_t>(points) + 1};
}

std::string_view Source::line(std::uint32_t number) const {
  if (number == 0 || number > line_starts_.size()) return {};
  std::string_view rest = std::string_view(text_).substr(line_starts_[number - 1]);
  rest = rest.substr(0, rest.find('\n'));
  if (rest.ends_with('\r')) rest.remove_suffix(1);
  return rest;
}

const Source& Sources::add(std::string name, std::string text) {
  all_.push_back(std::make_unique<Source>(static_cast<SourceId>(all_.size()), std::move(name), std::move(text)));
  return *all_.back();
}

}  // namespace vsl
