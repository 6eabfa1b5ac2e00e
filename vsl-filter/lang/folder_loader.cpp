#include "vsl-filter/lang/folder_loader.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>

#include "lib/base/io.h"

namespace vsl {
namespace {

// Empty if there is nothing of that name.
std::string real_path_of(const std::string& path) {
  char* found = ::realpath(path.c_str(), nullptr);
  if (found == nullptr) return {};
  std::string real = found;
  ::free(found);
  return real;
}

// With its "/"; empty for a bare name.
std::string folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash + 1));
}

std::string as_folder(std::string real_path) {
  if (!real_path.ends_with('/')) real_path += '/';
  return real_path;
}

}  // namespace

base::Result<LoadedText> FolderLoader::load(std::string_view path, std::string_view importer) {
  if (allowed_.empty())
    if (auto opened = open_folders(); !opened) return std::unexpected(opened.error());
  if (importer.empty()) {
    auto real = real_path_of(main_path_);
    if (real.empty()) return base::fail_errno("open " + main_path_, base::Fault::Config);
    return read(std::move(real));
  }
  if (path.empty()) return base::fail(base::Fault::Config, "the path of the import is empty");
  if (path.find('\0') != std::string_view::npos) return base::fail(base::Fault::Config, "the path of the import holds a NUL");
  std::string outside;
  std::string real = find(path, importer, outside);
  if (!real.empty()) return read(std::move(real));
  if (!outside.empty()) return base::fail(base::Fault::Config, outside + " is outside of the folder of the rules, " + allowed_.front());
  std::string tried;
  for (const auto extension : options_.extensions) tried += (tried.empty() ? "" : " or ") + std::string(path) + std::string(extension);
  return base::fail(base::Fault::Config, "there is no " + tried + " beside the importing file" +
                                             (allowed_.size() > 1 ? ", the main script or in the folders of rules" : " or the main script"));
}

base::Result<void> FolderLoader::open_folders() {
  // The main script need not be a file, or not be there; its folder must.
  const std::string folder = folder_of(main_path_);
  const std::string real = real_path_of(main_path_);
  std::string real_folder = real.empty() ? real_path_of(folder.empty() ? "." : folder) : folder_of(real);
  if (real_folder.empty()) return base::fail_errno("open " + main_path_, base::Fault::Config);
  allowed_ = {as_folder(std::move(real_folder))};
  for (const std::string& folder : options_.folders) {
    std::string real_folder = real_path_of(folder);
    if (real_folder.empty()) return base::fail_errno("open " + folder, base::Fault::Config);
    allowed_.push_back(as_folder(std::move(real_folder)));
  }
  return {};
}

// The first file that fits and is allowed. `outside`: one that would fit and is not.
std::string FolderLoader::find(std::string_view path, std::string_view importer, std::string& outside) const {
  std::vector<std::string> bases;
  if (path.starts_with('/')) {
    bases.emplace_back();
  } else {
    if (const auto known = real_folders_.find(std::string(importer)); known != real_folders_.end()) bases.push_back(known->second);
    for (const std::string& folder : allowed_) {
      if (std::ranges::find(bases, folder) == bases.end()) bases.push_back(folder);
    }
  }
  const bool has_extension = std::ranges::any_of(options_.extensions, [&](std::string_view extension) { return path.ends_with(extension); });
  for (const std::string& base : bases) {
    for (std::size_t i = 0; i < options_.extensions.size() + (has_extension ? 1 : 0); ++i) {
      const bool as_written = i == options_.extensions.size();
      const std::string real = real_path_of(base + std::string(path) + (as_written ? std::string() : std::string(options_.extensions[i])));
      if (real.empty()) continue;
      if (is_allowed(real)) return real;
      outside = real;
    }
  }
  return {};
}

bool FolderLoader::is_allowed(std::string_view real_path) const {
  return std::ranges::any_of(allowed_, [&](const std::string& folder) { return real_path.starts_with(folder); });
}

// As the person who started us wrote the main script's folder.
std::string FolderLoader::shown(std::string_view real_path) const {
  if (!real_path.starts_with(allowed_.front())) return std::string(real_path);
  return folder_of(main_path_) + std::string(real_path.substr(allowed_.front().size()));
}

base::Result<LoadedText> FolderLoader::read(std::string real_path) {
  // A FIFO must not stop us.
  auto fd = base::open_file(real_path, O_RDONLY | O_NONBLOCK);
  if (!fd) return std::unexpected(fd.error());
  struct stat about {};
  if (::fstat(fd->get(), &about) != 0) return base::fail_errno("stat " + real_path);
  if (!S_ISREG(about.st_mode)) return base::fail(base::Fault::Config, real_path + " is not a regular file");
  auto text = base::read_all(fd->get(), options_.most_octets);
  if (!text) return base::fail_within("read " + real_path, text.error());
  std::string name = shown(real_path);
  real_folders_[name] = folder_of(real_path);
  return LoadedText{std::move(name), std::move(*text)};
}

}  // namespace vsl
