// The maps of the configuration, open: text, or compiled by --compile into a constant database (cdb), which is mapped.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "address-map/entries.h"
#include "lib/base/result.h"

namespace address_map {

// A file of one format. May be used by several threads.
class Map {
 public:
  virtual ~Map() = default;
  // nullopt: not there. An error is temporary.
  [[nodiscard]] virtual base::Result<std::optional<Targets>> find(const std::string& key) const = 0;
};

// A name that ends in ".cdb" is a compiled map. Fault::Config: it has mistakes; Fault::Temporary: it cannot be read.
[[nodiscard]] base::Result<std::shared_ptr<const Map>> open_map(Format format, const std::string& path);
// Writes `path`.cdb, in one step.
[[nodiscard]] base::Result<std::size_t> compile_map(Format format, const std::string& path);  // entries

// What expansion looks into.
class Maps {
 public:
  virtual ~Maps() = default;
  // The first file of that format that has the key.
  [[nodiscard]] virtual base::Result<std::optional<Targets>> find(Format format, const std::string& key) const = 0;
  [[nodiscard]] virtual base::Result<Targets> include(const std::string& path) const = 0;
};

// The files of a configuration; each is opened again when it has changed.
class MapFiles final : public Maps {
 public:
  struct File {
    Format format;
    std::string path;
  };
  explicit MapFiles(std::vector<File> files);
  ~MapFiles() override;
  [[nodiscard]] base::Result<std::optional<Targets>> find(Format format, const std::string& key) const override;
  [[nodiscard]] base::Result<Targets> include(const std::string& path) const override;
  [[nodiscard]] bool has(Format format) const;
  // Looks whether files have changed: once a call, so that it sees one state. An error stays until the file is mended.
  [[nodiscard]] base::Result<void> refresh();

 private:
  struct Opened;
  std::vector<std::unique_ptr<Opened>> files_;
  mutable std::mutex mutex_;
};

}  // namespace address_map
