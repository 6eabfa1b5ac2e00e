// The octets of a message on their way between programs: in memory while small, else a window of a file.
// They are held once: copying a Blob shares them, and none of them changes in place.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lib/base/io.h"
#include "lib/base/result.h"
#include "lib/base/unique_fd.h"

namespace base {

class Blob {
 public:
  Blob() = default;  // no octets
  static Blob of_octets(std::string octets);
  // `length` octets at `offset` of a file that will not shrink or change there: memfd, unlinked file, spool segment.
  static Blob of_file(UniqueFd file, std::uint64_t offset, std::uint64_t length);
  static Blob of_file(std::shared_ptr<const UniqueFd> file, std::uint64_t offset, std::uint64_t length);
  // What descriptor 0 of a message call holds: a file from its start, wherever it stands now; a pipe is read to its end,
  // into memory or a memfd. More than `limit_octets` is Fault::Permanent. `fd` is borrowed.
  [[nodiscard]] static Result<Blob> of_descriptor(int fd, std::uint64_t limit_octets);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] bool is_in_memory() const { return file_ == nullptr; }
  // Only when is_in_memory(); valid while any copy of this Blob lives.
  [[nodiscard]] std::string_view octets() const { return octets_ ? std::string_view(*octets_) : std::string_view(); }
  // Only when not is_in_memory().
  [[nodiscard]] int file() const { return file_->get(); }
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

  // All octets in one piece, for parsers. The Blob must outlive the view.
  class View {
   public:
    [[nodiscard]] std::string_view octets() const { return octets_; }

   private:
    friend class Blob;
    Mapping mapping_;
    std::string_view octets_;
  };
  [[nodiscard]] Result<View> view() const;

  // A descriptor that stands at the first octet and ends after the last: for programs that are exec'd. Copies into a
  // memfd unless the window is the whole of a file; then it is the same file, opened again with its own position.
  [[nodiscard]] Result<UniqueFd> as_descriptor() const;
  // Appends the octets to the file `fd` at its position, inside the kernel where that can be.
  [[nodiscard]] Result<void> write_to(int fd) const;

 private:
  std::shared_ptr<const std::string> octets_;
  std::shared_ptr<const UniqueFd> file_;
  std::uint64_t offset_ = 0;
  std::uint64_t size_ = 0;
};

// Collects a message of unknown length: in memory, then in a memfd, then in an unlinked file, so that neither the heap
// nor the machine's memory grows with the message.
class BlobWriter {
 public:
  struct Limits {
    std::size_t memory_octets = 65536;             // more goes to a memfd
    std::uint64_t memfd_octets = 4 * 1024 * 1024;  // more goes to an unlinked file in `directory`
    std::string directory = "/tmp";
  };
  // `limits` is borrowed for the writer's life.
  explicit BlobWriter(const Limits& limits) : limits_(&limits) {}

  [[nodiscard]] Result<void> append(std::string_view octets);
  // `length` octets of `from` at `offset`; from file to file inside the kernel where that can be.
  [[nodiscard]] Result<void> append_range(const Blob& from, std::uint64_t offset, std::uint64_t length);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] Blob finish();  // the writer is empty afterwards
  void clear();

 private:
  Result<void> make_room_for(std::uint64_t octets);
  Result<void> move_to_file(UniqueFd file);

  const Limits* limits_;
  std::string octets_;
  UniqueFd file_;
  bool on_disk_ = false;
  std::uint64_t size_ = 0;
};

}  // namespace base
