// The body of a message as rules change it: pieces of what came and of what they wrote. Octets that nobody changes stay where
// they are, in a file or in memory, until the message is written, once, when the rules are through.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lib/base/blob.h"
#include "lib/base/result.h"

namespace rules {

class Body {
 public:
  struct Piece {
    base::Blob blob;
    std::uint64_t offset = 0, length = 0;

    [[nodiscard]] static Piece of(std::string octets);
    [[nodiscard]] static Piece of(base::Blob blob);
  };
  // In place of `length` octets at `offset` of the body as it is now.
  struct Splice {
    std::uint64_t offset = 0, length = 0;
    Piece put;
  };

  Body() = default;
  explicit Body(Piece whole);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  // In the order of their places, none over another; what lies behind the end changes nothing.
  void apply(std::span<const Splice> splices);
  [[nodiscard]] base::Result<void> write_to(base::BlobWriter& writer) const;

 private:
  std::vector<Piece> pieces_;
  std::uint64_t size_ = 0;
};

}  // namespace rules
