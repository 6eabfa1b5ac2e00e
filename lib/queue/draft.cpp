#include <fcntl.h>
#include <sys/stat.h>

#include "lib/base/durable.h"
#include "lib/base/io.h"
#include "lib/queue/folders.h"
#include "lib/queue/spool.h"

namespace queue {

using base::Result;

Result<Draft> Draft::begin(const Spool& spool, const Id& id) {
  std::string path = spool.path() + "/tmp/" + id.string();
  auto file = base::open_file(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
  if (!file) return std::unexpected(file.error());
  return Draft(std::move(path), id, std::move(*file));
}

Draft::Draft(Draft&& other) noexcept
    : path_(std::exchange(other.path_, {})), is_published_(other.is_published_), id_(other.id_), file_(std::move(other.file_)) {}

Draft& Draft::operator=(Draft&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(is_published_, other.is_published_);
  std::swap(id_, other.id_);
  std::swap(file_, other.file_);
  return *this;
}

Draft::~Draft() {
  if (!path_.empty() && !is_published_) (void)::unlink(path_.c_str());
}

Result<void> Draft::write(const Item& item, const base::Blob& message) {
  constexpr std::uint64_t kCopiedOctets = 65536;  // up to here a copy is cheaper than a second write(2)
  std::string head = to_octets(item);
  const bool in_one = message.is_in_memory() && message.size() <= kCopiedOctets;
  if (in_one) head += message.octets();
  if (const auto written = base::write_all(file_.get(), head); !written) return base::fail_within(path_, written.error());
  return in_one ? Result<void>() : write(message);
}

Result<void> Draft::write(const base::Blob& item) {
  if (const auto written = item.write_to(file_.get()); !written) return base::fail_within(path_, written.error());
  return {};
}

void Draft::start_writing() const { (void)::sync_file_range(file_.get(), 0, 0, SYNC_FILE_RANGE_WRITE); }

Result<void> Draft::sync() { return base::sync_data(file_.get(), path_); }

Result<void> Draft::publish(const Spool& spool, const Place& place, std::optional<base::WallTime> modified) { return give_name(spool, place, modified, false); }
Result<void> Draft::publish_over(const Spool& spool, const Place& place, std::optional<base::WallTime> modified) { return give_name(spool, place, modified, true); }

Result<void> Draft::give_name(const Spool& spool, const Place& place, std::optional<base::WallTime> modified, bool replaces) {
  if (modified) {
    const timespec times[2] = {{0, UTIME_OMIT}, to_timespec(*modified)};
    if (::futimens(file_.get(), times) != 0) return base::fail_errno("set time of " + path_);
  }
  if (const auto made = make_folder_of(spool, place); !made) return made;
  std::string path = spool.file_path(place, id_);
  if (replaces) {
    if (::rename(path_.c_str(), path.c_str()) != 0) return base::fail_errno("rename " + path_ + " to " + path);
  } else if (const auto renamed = rename_new(path_, path); !renamed) {
    return renamed;
  }
  path_ = std::move(path);
  is_published_ = true;
  return {};
}

void Draft::unpublish() { is_published_ = false; }

}  // namespace queue
