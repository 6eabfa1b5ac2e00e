#include "address-map/maps.h"

#include <cdb.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <unordered_map>

#include "lib/base/durable.h"
#include "lib/base/io.h"

namespace address_map {
namespace {

constexpr std::size_t kMaxTextOctets = 256 << 20;
constexpr std::size_t kMaxIncludeOctets = 16 << 20;
constexpr std::string_view kCompiled = ".cdb";
// A key that no address has: its value is the format, so that a map cannot be taken for one of another.
constexpr std::string_view kFormatKey = std::string_view("\0format", 7);

class TextMap final : public Map {
 public:
  explicit TextMap(std::vector<Entry> entries) {
    for (auto& entry : entries) entries_.emplace(std::move(entry.key), std::move(entry.targets));
  }
  [[nodiscard]] base::Result<std::optional<Targets>> find(const std::string& key) const override {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return std::nullopt;
    return found->second;
  }

 private:
  std::unordered_map<std::string, Targets> entries_;
};

class CompiledMap final : public Map {
 public:
  CompiledMap(std::string path, const cdb& database) : path_(std::move(path)), database_(database) {}
  ~CompiledMap() override { ::cdb_free(&database_); }
  CompiledMap(const CompiledMap&) = delete;
  CompiledMap& operator=(const CompiledMap&) = delete;

  [[nodiscard]] base::Result<std::optional<std::string_view>> octets_of(std::string_view key) const {
    cdb search = database_;  // where it stands is its own: other threads look too
    const int found = ::cdb_find(&search, key.data(), static_cast<unsigned>(key.size()));
    if (found == 0) return std::nullopt;
    const auto length = cdb_datalen(&search);
    const void* octets = found > 0 ? ::cdb_get(&search, length, cdb_datapos(&search)) : nullptr;
    if (octets == nullptr) return base::fail(base::Fault::Temporary, path_ + ": damaged; compile it again");
    return std::string_view(static_cast<const char*>(octets), length);
  }
  [[nodiscard]] base::Result<std::optional<Targets>> find(const std::string& key) const override {
    const auto octets = octets_of(key);
    if (!octets) return std::unexpected(octets.error());
    if (!*octets) return std::nullopt;
    auto targets = parse_octets(**octets);
    if (!targets) return base::fail_within(path_, targets.error());
    return *std::move(targets);
  }

 private:
  std::string path_;
  mutable cdb database_;
};

base::Result<std::shared_ptr<const Map>> open_compiled(Format format, const std::string& path) {
  const auto file = base::open_file(path, O_RDONLY);
  if (!file) return std::unexpected(file.error());
  cdb database;
  if (::cdb_init(&database, file->get()) != 0) return base::fail(base::Fault::Temporary, path + ": not a compiled map");  // maps it
  auto map = std::make_shared<CompiledMap>(path, database);
  const auto kind = map->octets_of(kFormatKey);
  if (!kind || !*kind || **kind != name_of(format)) return base::fail(base::Fault::Config, path + ": not a compiled map of the format " + std::string(name_of(format)));
  return map;
}

// Fault::Config of what reading says: a file that is not there is a mistake of the configuration as much as one that is wrong.
base::Result<std::vector<Entry>> read_entries(Format format, const std::string& path) {
  const auto text = base::read_file(path, kMaxTextOctets);
  if (!text) return std::unexpected(text.error());
  return parse_map(format, *text, path);
}

// Writes into `fd`.
base::Result<void> write_database(int fd, Format format, const std::vector<Entry>& entries) {
  cdb_make maker;
  if (::cdb_make_start(&maker, fd) != 0) return base::fail_errno("write");
  const auto add = [&](std::string_view key, std::string_view value) {
    return ::cdb_make_add(&maker, key.data(), static_cast<unsigned>(key.size()), value.data(), static_cast<unsigned>(value.size())) == 0;
  };
  bool is_good = add(kFormatKey, name_of(format));
  for (const auto& entry : entries) is_good = is_good && add(entry.key, to_octets(entry.targets));
  const int number = errno;
  is_good = ::cdb_make_finish(&maker) == 0 && is_good;  // also when it has failed: it frees what it holds
  if (is_good) return {};
  if (errno == 0) errno = number;
  return base::fail_errno("write");
}

}  // namespace

base::Result<std::shared_ptr<const Map>> open_map(Format format, const std::string& path) {
  if (path.ends_with(kCompiled)) return open_compiled(format, path);
  auto entries = read_entries(format, path);
  if (!entries) return std::unexpected(entries.error());
  return std::make_shared<TextMap>(std::move(*entries));
}

base::Result<std::size_t> compile_map(Format format, const std::string& path) {
  const auto entries = read_entries(format, path);
  if (!entries) return std::unexpected(entries.error());
  const std::string compiled = path + std::string(kCompiled), draft = compiled + ".new." + std::to_string(::getpid());
  const auto folder = compiled.find('/') == std::string::npos ? std::string(".") : compiled.substr(0, std::max<std::size_t>(1, compiled.rfind('/')));
  auto file = base::open_file(draft, O_RDWR | O_CREAT | O_EXCL, 0644);
  if (!file) return std::unexpected(file.error());
  auto done = write_database(file->get(), format, *entries);
  if (done) done = base::sync_data(file->get(), draft);
  if (done) done = base::rename_file(draft, compiled);
  if (!done) {
    ::unlink(draft.c_str());
    return base::fail_within(compiled, done.error());
  }
  if (const auto synced = base::sync_directory(folder); !synced) return std::unexpected(synced.error());
  return entries->size();
}

// ---- the files of a configuration ---------------------------------------------------------------------------------------

struct MapFiles::Opened {
  File file;
  struct stat status = {};
  base::Result<std::shared_ptr<const Map>> map = base::fail(base::Fault::Temporary, "not opened yet");
  bool is_known = false;

  bool has_changed(const struct stat& now) const {
    return !is_known || now.st_dev != status.st_dev || now.st_ino != status.st_ino || now.st_size != status.st_size || now.st_mtim.tv_sec != status.st_mtim.tv_sec ||
           now.st_mtim.tv_nsec != status.st_mtim.tv_nsec;
  }
};

MapFiles::MapFiles(std::vector<File> files) {
  for (auto& file : files) {
    files_.push_back(std::make_unique<Opened>());
    files_.back()->file = std::move(file);
  }
}

MapFiles::~MapFiles() = default;

base::Result<void> MapFiles::refresh() {
  const std::lock_guard lock(mutex_);
  for (auto& opened : files_) {
    struct stat now = {};
    if (::stat(opened->file.path.c_str(), &now) != 0) {
      opened->is_known = false;
      return base::fail_errno("map " + opened->file.path);
    }
    if (opened->has_changed(now)) {
      opened->map = open_map(opened->file.format, opened->file.path);
      opened->status = now;
      opened->is_known = true;
    }
    if (!opened->map) return std::unexpected(opened->map.error());
  }
  return {};
}

bool MapFiles::has(Format format) const {
  return std::ranges::any_of(files_, [format](const auto& opened) { return opened->file.format == format; });
}

base::Result<std::optional<Targets>> MapFiles::find(Format format, const std::string& key) const {
  for (const auto& opened : files_) {
    if (opened->file.format != format) continue;
    std::shared_ptr<const Map> map;
    {
      const std::lock_guard lock(mutex_);
      if (!opened->map) return std::unexpected(opened->map.error());
      map = *opened->map;
    }
    auto found = map->find(key);
    if (!found || *found) return found;
  }
  return std::nullopt;
}

base::Result<Targets> MapFiles::include(const std::string& path) const {
  const auto text = base::read_file(path, kMaxIncludeOctets);
  if (!text) return base::fail_within(":include:" + path, text.error());
  return parse_include(*text, path);
}

}  // namespace address_map
