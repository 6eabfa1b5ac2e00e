#include "vsl-filter/api/app_files.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "lib/base/durable.h"
#include "lib/base/io.h"
#include "lib/base/text.h"

namespace rules {
namespace {

using base::Fault;
using base::Result;
using base::UniqueFd;

// Paths may be made of what a message says: nobody shall make a tree of ten thousand folders.
constexpr std::size_t kMaxPathOctets = 1024, kMaxDepth = 32;

std::string shown(std::string_view path) { return "'" + base::text::printable(path, 200) + "'"; }

std::unexpected<base::Error> refused(std::string_view path, std::string_view why) {
  return base::fail(Fault::Permanent, "path " + shown(path) + ": " + std::string(why));
}

// Names of a path without "." and doubled slashes.
Result<std::vector<std::string>> names_of(std::string_view path) {
  if (std::ranges::any_of(path, [](char c) { return (c >= 0 && c < ' ') || c == 127; })) return refused(path, "has a NUL or another control character");
  if (path.size() > kMaxPathOctets) return refused(path, "has more than " + std::to_string(kMaxPathOctets) + " octets");
  if (path.starts_with('/')) return refused(path, "is absolute; expected: one below the folder of the rules' files");
  std::vector<std::string> names;
  for (const auto name : base::text::split(path, '/')) {
    if (name.empty() || name == ".") continue;
    if (name == "..") return refused(path, "leaves the folder of the rules' files");
    if (name.size() > 255) return refused(path, "has a name of more than 255 octets");
    if (names.size() == kMaxDepth) return refused(path, "has more than " + std::to_string(kMaxDepth) + " folders in each other");
    names.emplace_back(name);
  }
  return names;
}

// errno of an openat(2) with O_NOFOLLOW, said in the words of who wrote the rule.
std::unexpected<base::Error> failed_at(std::string_view path) {
  if (errno == ELOOP || errno == ENOTDIR) return refused(path, "has a link or a file on its way");
  return base::fail_errno("path " + shown(path));
}

Result<UniqueFd> enter(UniqueFd parent, const std::string& name, std::string_view path, bool makes) {
  if (makes && ::mkdirat(parent.get(), name.c_str(), 0700) != 0 && errno != EEXIST) return failed_at(path);
  UniqueFd folder(::openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder.is_open()) return failed_at(path);
  return folder;
}

// The folder at `path`; missing ones are made if `makes`.
Result<UniqueFd> walk(const std::string& top, std::span<const std::string> names, std::string_view path, bool makes) {
  if (makes)
    if (const auto made = base::make_directories(top, 0700); !made) return std::unexpected(made.error());
  auto folder = base::open_file(top, O_RDONLY | O_DIRECTORY);
  for (const auto& name : names) {
    if (!folder) return folder;
    folder = enter(std::move(*folder), name, path, makes);
  }
  return folder;
}

std::string draft_name() {
  std::uint64_t number = 0;
  (void)::getrandom(&number, sizeof number, 0);
  return ".draft-" + std::to_string(::getpid()) + "-" + std::to_string(number);
}

}  // namespace

template <class Write>
Result<void> AppFiles::replace(std::string_view directory, std::string_view name, const Write& write) const {
  const auto names = names_of(directory);
  if (!names) return std::unexpected(names.error());
  if (name.empty() || name.starts_with('.') || name.size() > 255 || name.find_first_of(std::string_view("/\0", 2)) != std::string_view::npos) return refused(name, "is no name of a file");
  const std::string path = std::string(directory) + "/" + std::string(name);
  const auto folder = walk(folder_, *names, path, true);
  if (!folder) return std::unexpected(folder.error());

  const std::string draft = draft_name(), final_name(name);
  UniqueFd file(::openat(folder->get(), draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.is_open()) return failed_at(path);
  Result<void> done = write(file.get());
  if (done) done = file.close();
  // A link of that name is replaced, not followed.
  if (done && ::renameat(folder->get(), draft.c_str(), folder->get(), final_name.c_str()) != 0) done = base::fail_errno("path " + shown(path));
  if (!done) (void)::unlinkat(folder->get(), draft.c_str(), 0);
  return done;
}

Result<void> AppFiles::write(std::string_view directory, std::string_view name, std::string_view octets) const {
  return replace(directory, name, [octets](int file) { return base::write_all(file, octets); });
}

Result<void> AppFiles::write(std::string_view directory, std::string_view name, const base::Blob& octets) const {
  return replace(directory, name, [&octets](int file) { return octets.write_to(file); });
}

Result<UniqueFd> AppFiles::open(std::string_view path) const {
  auto names = names_of(path);
  if (!names) return std::unexpected(names.error());
  if (names->empty()) return refused(path, "is no name of a file");
  const std::string name = std::move(names->back());
  names->pop_back();
  const auto folder = walk(folder_, *names, path, false);
  if (!folder) return std::unexpected(folder.error());
  // O_NONBLOCK: a FIFO there would wait for its writer.
  UniqueFd file(::openat(folder->get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.is_open()) return failed_at(path);
  struct stat status;
  if (::fstat(file.get(), &status) != 0) return base::fail_errno("path " + shown(path));
  if (!S_ISREG(status.st_mode)) return refused(path, "is no regular file");
  return file;
}

}  // namespace rules
