// Imports from files (spec 1.7, D-22): relative to the importing file, then to the main script's folder, then to further folders; the
// extension is left out in scripts. Nothing outside of the main script's folder and the further folders is read, whatever `..` and
// symbolic links say.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "vsl-filter/lang/module.h"

namespace vsl {

class FolderLoader : public Loader {
 public:
  struct Options {
    std::vector<std::string> folders;                                     // beside the main script's
    std::vector<std::string_view> extensions = {".vsl", ".rhai"};
    std::size_t most_octets = 64 * 1024 * 1024;                           // of one file
  };
  // The path of the main script may be anywhere and is given whole; its folder becomes the first of the allowed ones.
  FolderLoader(std::string main_path, Options options) : main_path_(std::move(main_path)), options_(std::move(options)) {}
  explicit FolderLoader(std::string main_path) : FolderLoader(std::move(main_path), Options()) {}

  base::Result<LoadedText> load(std::string_view path, std::string_view importer) override;

 private:
  base::Result<void> open_folders();
  [[nodiscard]] std::string find(std::string_view path, std::string_view importer, std::string& outside) const;
  [[nodiscard]] bool is_allowed(std::string_view real_path) const;
  [[nodiscard]] std::string shown(std::string_view real_path) const;
  base::Result<LoadedText> read(std::string real_path);

  std::string main_path_;
  Options options_;
  std::vector<std::string> allowed_;  // real paths of folders, ending in "/"; the main script's first
  std::unordered_map<std::string, std::string> real_folders_;  // of loaded files, by the name they are shown with
};

}  // namespace vsl
