// The octets of the catalog of deferred/: two files beside the folders of a spool, described in vsmtp-spool(5).
//
//   catalog.rows    a header, then a row of 64 octets for each message that was put off, in the order in which that happened
//   catalog.texts   a header, then what the rows point at: sender, reason and recipients, a line each
//
// Both only grow, until they are written anew. The last row of a message counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/queue/id.h"

namespace queue::catalog_format {

inline constexpr std::size_t kRowOctets = 64;
inline constexpr std::size_t kHeaderOctets = 64;
inline constexpr std::size_t kMostTextOctets = 4096;  // of a message with more to tell the file is read

// Of both files. They belong together if their nonces are the same.
struct Header {
  std::uint64_t nonce = 0;
  // catalog.rows: the modification time of deferred/ for which they are complete; nothing: they are being written.
  std::optional<base::WallTime> folder_time = {};
};
[[nodiscard]] std::string rows_header(const Header& header);
[[nodiscard]] std::string texts_header(const Header& header);
// nullopt: none of this version.
[[nodiscard]] std::optional<Header> parse_rows_header(std::string_view octets);
[[nodiscard]] std::optional<Header> parse_texts_header(std::string_view octets);

struct Row {
  enum class Kind : std::uint8_t {
    None,     // torn, or of another life of the files
    Message,
    Gone,     // it has left deferred/
  };
  Kind kind = Kind::None;
  bool must_look = false;  // its file says more than the row
  std::uint16_t attempts = 0;
  std::uint16_t text_octets = 0;
  Id id;
  std::int32_t arrived_after_id = 0;  // microseconds
  base::WallTime modified;
  std::uint64_t file_octets = 0;
  std::uint32_t header_octets = 0;  // of the file, before the message
  std::uint64_t text_offset = 0;    // in catalog.texts
  std::uint32_t text_checksum = 0;
};
[[nodiscard]] std::string to_octets(const Row& row, std::uint64_t nonce);
[[nodiscard]] Row parse_row(std::string_view octets, std::uint64_t nonce);

// What a row points at. No line of it holds an LF: spools have none in addresses and replies.
struct Text {
  std::string sender, reason;
  std::vector<std::string> recipients;
};
[[nodiscard]] std::string to_octets(const Text& text);
// false: not what to_octets() made. `text` is made anew; its memory is used again.
[[nodiscard]] bool parse_text(std::string_view octets, Text& text);

}  // namespace queue::catalog_format
