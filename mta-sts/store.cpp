#include "mta-sts/store.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "lib/base/durable.h"
#include "lib/base/io.h"
#include "lib/base/text.h"

namespace mta_sts {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileOctets = std::size_t{16} << 20;
constexpr std::string_view kEnd = ".policy";  // so that no domain can be named as anything else

}  // namespace

std::string format(const Kept& kept) { return "id: " + kept.id + "\nfetched: " + std::to_string(kept.fetched_seconds) + "\n\n" + kept.text; }

std::optional<Kept> parse_kept(std::string_view file) {
  Kept kept;
  if (!base::text::consume(file, "id: ")) return std::nullopt;
  const auto [id, behind_id] = base::text::split_once(file, '\n');
  file = behind_id;
  if (id.empty() || !base::text::consume(file, "fetched: ")) return std::nullopt;
  const auto [fetched, behind_fetched] = base::text::split_once(file, '\n');
  file = behind_fetched;
  const auto seconds = base::text::parse_number<std::uint64_t>(fetched);
  constexpr std::uint64_t kLatest = 1ULL << 40;
  if (!seconds || *seconds > kLatest || !base::text::consume(file, "\n")) return std::nullopt;
  auto policy = authn::sts::parse_policy(file);
  if (!policy) return std::nullopt;
  return Kept{std::string(id), *seconds, std::string(file), std::move(*policy)};
}

std::optional<Kept> Store::read(const std::string& domain) const {
  const auto file = base::read_file(folder_ + "/" + domain + std::string(kEnd), kMaxFileOctets);
  return file ? parse_kept(*file) : std::nullopt;
}

base::Result<void> Store::write(const std::string& domain, const Kept& kept) const {
  const auto path = folder_ + "/" + domain + std::string(kEnd);
  const auto draft = path + "." + std::to_string(::gettid()) + ".tmp";
  {
    const auto file = base::open_file(draft, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (!file) return std::unexpected(file.error());
    if (auto written = base::write_all(file->get(), format(kept)); !written) return written;
    if (auto synced = base::sync_data(file->get(), draft); !synced) return synced;  // after a power cut it must not be an empty one
  }
  return base::rename_file(draft, path);
}

base::Result<void> Store::open(std::uint64_t now_seconds) const {
  if (auto made = base::make_directories(folder_, 0755); !made) return made;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder_, ignored)) {
    const auto path = entry.path().string();
    if (!path.ends_with(kEnd)) continue;
    const auto file = base::read_file(path, kMaxFileOctets);
    if (!file) continue;
    const auto kept = parse_kept(*file);
    if (!kept || !kept->is_fresh(now_seconds)) fs::remove(entry.path(), ignored);
  }
  return {};
}

}  // namespace mta_sts
