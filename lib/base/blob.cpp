#include "lib/base/blob.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>

namespace base {
namespace {

// A pipe is short of nothing: what fits stays in memory, the rest of the world is a file.
Result<Blob> collect(int pipe, std::uint64_t limit_octets) {
  const BlobWriter::Limits limits;
  BlobWriter writer(limits);
  std::array<char, 16384> buffer;
  for (;;) {
    const auto n = ::read(pipe, buffer.data(), buffer.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return fail_errno("read message");
    }
    if (n == 0) return writer.finish();
    if (writer.size() + static_cast<std::uint64_t>(n) > limit_octets)
      return fail(Fault::Permanent, "message of more than " + std::to_string(limit_octets) + " octets");
    const auto appended = writer.append({buffer.data(), static_cast<std::size_t>(n)});
    if (!appended) return std::unexpected(appended.error());
  }
}

}  // namespace

Blob Blob::of_octets(std::string octets) {
  Blob blob;
  blob.size_ = octets.size();
  blob.octets_ = std::make_shared<const std::string>(std::move(octets));
  return blob;
}

Blob Blob::of_file(UniqueFd file, std::uint64_t offset, std::uint64_t length) {
  return of_file(std::make_shared<const UniqueFd>(std::move(file)), offset, length);
}

Blob Blob::of_file(std::shared_ptr<const UniqueFd> file, std::uint64_t offset, std::uint64_t length) {
  Blob blob;
  blob.file_ = std::move(file);
  blob.offset_ = offset;
  blob.size_ = length;
  return blob;
}

Result<Blob> Blob::of_descriptor(int fd, std::uint64_t limit_octets) {
  struct stat status;
  if (::fstat(fd, &status) != 0) return fail_errno("message on descriptor " + std::to_string(fd));
  if (!S_ISREG(status.st_mode)) return collect(fd, limit_octets);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > limit_octets) return fail(Fault::Permanent, "message of more than " + std::to_string(limit_octets) + " octets");
  UniqueFd own(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!own.is_open()) return fail_errno("dup");
  return of_file(std::move(own), 0, size);
}

Result<Blob::View> Blob::view() const {
  View view;
  if (is_in_memory()) {
    view.octets_ = octets();
    return view;
  }
  auto mapping = Mapping::of(file(), offset_, size_);
  if (!mapping) return std::unexpected(mapping.error());
  view.mapping_ = std::move(*mapping);
  view.octets_ = view.mapping_.octets();
  return view;
}

Result<UniqueFd> Blob::as_descriptor() const {
  if (!is_in_memory() && offset_ == 0) {
    const auto whole = file_size(file());
    // Opened anew through /proc: a dup would share the position with everyone who has this file.
    if (whole && *whole == size_) {
      auto again = open_file("/proc/self/fd/" + std::to_string(file()), O_RDONLY);
      if (again) return again;
    }
  }
  auto copy = memory_file("message");
  if (!copy) return copy;
  const auto written = write_to(copy->get());
  if (!written) return std::unexpected(written.error());
  if (::lseek(copy->get(), 0, SEEK_SET) != 0) return fail_errno("lseek");
  return copy;
}

Result<void> Blob::write_to(int fd) const {
  if (is_in_memory()) return write_all(fd, octets());
  return copy_range(file(), offset_, size_, fd);
}

Result<void> BlobWriter::append(std::string_view octets) {
  if (const auto room = make_room_for(octets.size()); !room) return room;
  if (file_.is_open()) return write_all(file_.get(), octets);
  octets_ += octets;
  return {};
}

Result<void> BlobWriter::append_range(const Blob& from, std::uint64_t offset, std::uint64_t length) {
  if (from.is_in_memory()) return append(from.octets().substr(offset, length));
  if (const auto room = make_room_for(length); !room) return room;
  if (file_.is_open()) return copy_range(from.file(), from.offset() + offset, length, file_.get());
  const auto held = octets_.size();
  octets_.resize(held + length);
  return pread_all(from.file(), std::span(octets_).subspan(held), from.offset() + offset);
}

// Of so many octets more, in whatever holds them then.
Result<void> BlobWriter::make_room_for(std::uint64_t octets) {
  size_ += octets;
  if (!file_.is_open() && size_ > limits_->memory_octets) {
    auto file = memory_file("message");
    if (!file) return std::unexpected(file.error());
    if (const auto moved = move_to_file(std::move(*file)); !moved) return moved;
  }
  if (file_.is_open() && !on_disk_ && size_ > limits_->memfd_octets) {
    auto file = open_file(limits_->directory, O_TMPFILE | O_RDWR);
    if (!file) return std::unexpected(file.error());
    if (const auto moved = move_to_file(std::move(*file)); !moved) return moved;
    on_disk_ = true;
  }
  return {};
}

Result<void> BlobWriter::move_to_file(UniqueFd file) {
  if (file_.is_open()) {
    const auto held = file_size(file_.get());
    if (!held) return std::unexpected(held.error());
    if (const auto copied = copy_range(file_.get(), 0, *held, file.get()); !copied) return copied;
  } else {
    if (const auto written = write_all(file.get(), octets_); !written) return written;
    octets_ = std::string();
  }
  file_ = std::move(file);
  return {};
}

Blob BlobWriter::finish() {
  const auto size = std::exchange(size_, 0);
  on_disk_ = false;
  if (file_.is_open()) return Blob::of_file(std::move(file_), 0, size);
  return Blob::of_octets(std::exchange(octets_, std::string()));
}

void BlobWriter::clear() {
  octets_ = std::string();
  file_.reset();
  on_disk_ = false;
  size_ = 0;
}

}  // namespace base
