#include "vsl-filter/body/body.h"

#include <algorithm>
#include <utility>

namespace rules {

Body::Piece Body::Piece::of(std::string octets) { return of(base::Blob::of_octets(std::move(octets))); }

Body::Piece Body::Piece::of(base::Blob blob) {
  const auto length = blob.size();
  return {std::move(blob), 0, length};
}

Body::Body(Piece whole) : size_(whole.length) {
  if (whole.length > 0) pieces_.push_back(std::move(whole));
}

void Body::apply(std::span<const Splice> splices) {
  std::vector<Piece> before = std::exchange(pieces_, {});
  const auto end = std::exchange(size_, 0);
  std::size_t piece = 0;
  std::uint64_t inside = 0, at = 0;
  const auto put = [this](Piece next) {
    size_ += next.length;
    if (next.length > 0) pieces_.push_back(std::move(next));
  };
  const auto go_on = [&](std::uint64_t to, bool keeps) {
    while (at < to && piece < before.size()) {
      const Piece& from = before[piece];
      const auto length = std::min(from.length - inside, to - at);
      if (keeps) put({from.blob, from.offset + inside, length});
      at += length;
      inside += length;
      if (inside < from.length) continue;
      ++piece;
      inside = 0;
    }
  };
  for (const Splice& splice : splices) {
    go_on(splice.offset, true);
    put(splice.put);
    go_on(splice.offset + splice.length, false);
  }
  go_on(end, true);
}

base::Result<void> Body::write_to(base::BlobWriter& writer) const {
  for (const Piece& piece : pieces_)
    if (const auto written = writer.append_range(piece.blob, piece.offset, piece.length); !written) return written;
  return {};
}

}  // namespace rules
