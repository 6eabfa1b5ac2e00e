// tag=value; tag=value: how DKIM signatures and keys, DMARC, ARC, BIMI and others write what they say. RFC 6376 section 3.2.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace authn {

class TagList {
 public:
  struct Tag {
    std::string_view name;   // case counts
    std::string_view value;  // without blanks at its ends, folding inside as it stands
  };
  static constexpr std::size_t kMaxTags = 100;

  // The views point into `text`. The error says what is wrong: no tag-list, or a name twice.
  [[nodiscard]] static std::expected<TagList, std::string> parse(std::string_view text);

  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return get(name).has_value(); }
  [[nodiscard]] const std::vector<Tag>& tags() const { return tags_; }

 private:
  std::vector<Tag> tags_;
};

// FWS of RFC 6376 section 2.8 at both ends, and everywhere.
[[nodiscard]] std::string_view trim_folding(std::string_view text);
[[nodiscard]] std::string without_folding(std::string_view text);
// "From : To:Subject" at ':' -> its parts without blanks around them.
[[nodiscard]] std::vector<std::string_view> split_folded(std::string_view text, char separator);
// base64string of RFC 6376 section 2.10: base64 with FWS anywhere.
[[nodiscard]] std::optional<std::string> from_folded_base64(std::string_view text);

}  // namespace authn
