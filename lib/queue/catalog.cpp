#include "lib/queue/catalog.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "lib/base/crc32c.h"
#include "lib/base/io.h"
#include "lib/queue/control.h"
#include "lib/queue/folders.h"

namespace queue {
namespace {

using base::Result;
using catalog_format::kHeaderOctets;
using catalog_format::kRowOctets;
using catalog_format::Row;

constexpr std::uint64_t kFewRows = 1000;                 // as many files are read as fast
constexpr std::size_t kRowsAtOnce = 1024;                // in memory that is used again, not taken from the system anew
constexpr std::uint64_t kMostRows = UINT32_MAX;

std::string path_in(const Spool& spool, std::string_view name) { return spool.path() + "/" + std::string(name); }

// "" when the file ends before.
std::string header_of(int fd) { return base::pread_text(fd, kHeaderOctets, 0).value_or(""); }

// Rows by the ids of their messages; later ones in the place of earlier ones. Open addressing: a million of them in 16 MB.
class LastRows {
 public:
  explicit LastRows(std::uint64_t rows) : ids_(rows) {
    std::size_t places = 64;
    while (places < rows * 2) places *= 2;
    table_.assign(places, kNone);
  }
  // The row of that id before.
  std::optional<std::uint32_t> set(std::uint32_t row, const Id& id) {
    ids_[row] = id;
    std::size_t at = std::hash<Id>()(id) & (table_.size() - 1);
    while (table_[at] != kNone && ids_[table_[at]] != id) at = (at + 1) & (table_.size() - 1);
    const auto before = std::exchange(table_[at], row);
    return before == kNone ? std::nullopt : std::optional(before);
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  std::vector<Id> ids_;
  std::vector<std::uint32_t> table_;
};

// Calls `on_row` with each row and its number.
template <class OnRow>
Result<void> for_each_row(const Catalog& catalog, const OnRow& on_row) {
  std::vector<Row> rows;
  for (std::uint64_t first = 0; first < catalog.rows(); first += rows.size()) {
    if (const auto read = catalog.read_rows(first, std::min<std::uint64_t>(kRowsAtOnce, catalog.rows() - first), rows); !read) return read;
    for (std::size_t i = 0; i < rows.size(); ++i) on_row(static_cast<std::uint32_t>(first + i), rows[i]);
  }
  return {};
}

}  // namespace

Result<std::optional<Catalog>> Catalog::open(const Spool& spool) {
  constexpr int kAttempts = 5;  // the two files of a new catalog get their names one after the other
  constexpr useconds_t kPauseMicroseconds = 1000;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto rows = base::open_file(path_in(spool, kCatalogRows), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    auto texts = base::open_file(path_in(spool, kCatalogTexts), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!rows || !texts) return std::optional<Catalog>();
    const auto header = catalog_format::parse_rows_header(header_of(rows->get()));
    const auto of_texts = catalog_format::parse_texts_header(header_of(texts->get()));
    if (!header) return std::optional<Catalog>();
    if (of_texts && of_texts->nonce == header->nonce) {
      const auto rows_octets = base::file_size(rows->get()), texts_octets = base::file_size(texts->get());
      if (!rows_octets || !texts_octets) return std::optional<Catalog>();
      Catalog catalog(std::move(*rows), std::move(*texts), *header);
      catalog.rows_ = std::min(kMostRows, (*rows_octets - kHeaderOctets) / kRowOctets);
      catalog.texts_octets_ = *texts_octets;
      return std::optional(std::move(catalog));
    }
    ::usleep(kPauseMicroseconds);
  }
  return std::optional<Catalog>();
}

Result<void> Catalog::read_rows(std::uint64_t first, std::size_t count, std::vector<Row>& rows) const {
  const auto octets = base::pread_text(rows_file_.get(), count * kRowOctets, kHeaderOctets + first * kRowOctets);
  if (!octets) return base::fail_within(std::string(kCatalogRows), octets.error());
  rows.clear();
  for (std::size_t i = 0; i < count; ++i) rows.push_back(catalog_format::parse_row(std::string_view(*octets).substr(i * kRowOctets, kRowOctets), header_.nonce));
  return {};
}

Result<void> Catalog::read_texts(std::span<const Row> rows) {
  std::uint64_t begin = UINT64_MAX, end = 0;
  for (const auto& row : rows) {
    if (row.kind != Row::Kind::Message) continue;
    begin = std::min(begin, row.text_offset);
    end = std::max(end, row.text_offset + row.text_octets);
  }
  texts_.clear();
  texts_begin_ = begin;
  // Rows are written in the order of their texts: what is farther apart was not written so.
  end = std::min({end, texts_octets_, begin + rows.size() * catalog_format::kMostTextOctets});
  if (begin >= end) return {};
  auto octets = base::pread_text(texts_file_.get(), end - begin, begin);
  if (!octets) return base::fail_within(std::string(kCatalogTexts), octets.error());
  texts_ = std::move(*octets);
  return {};
}

std::optional<std::string_view> Catalog::text_of(const Row& row) const {
  const auto at = row.text_offset - texts_begin_;
  if (row.text_offset < texts_begin_ || at > texts_.size() || row.text_octets > texts_.size() - at) return std::nullopt;
  const auto text = std::string_view(texts_).substr(at, row.text_octets);
  return base::crc32c(text) == row.text_checksum ? std::optional(text) : std::nullopt;
}

bool Catalog::fill(Brief& brief, const Row& row, bool with_text) const {
  brief.listed = {row.id, {State::Deferred, {}}, false, row.file_octets, row.id.time() + std::chrono::microseconds(row.arrived_after_id), row.modified};
  brief.message_octets = row.file_octets - row.header_octets;
  brief.attempts = row.attempts;
  brief.must_look = row.must_look;
  if (!with_text) return true;
  const auto text = text_of(row);
  return text && catalog_format::parse_text(*text, brief.text);
}

Result<Catalog::Present> Catalog::present() const {
  Present present;
  present.is_last.resize(rows_);
  LastRows last(rows_);
  const auto read = for_each_row(*this, [&](std::uint32_t number, const Row& row) {
    if (row.kind == Row::Kind::None) {
      present.is_whole = false;
      return;
    }
    if (const auto before = last.set(number, row.id)) present.is_last[*before] = false;
    present.is_last[number] = row.kind == Row::Kind::Message;
  });
  if (!read) return std::unexpected(read.error());
  present.messages = static_cast<std::uint64_t>(std::ranges::count(present.is_last, true));
  return present;
}

// Thousands may have changed a moment ago, which it writes down in less time than they take to be read.
static Result<std::vector<Id>> ask_for_uncataloged(const Control& control) {
  constexpr int kAttempts = 40;
  constexpr useconds_t kPauseMicroseconds = 50'000;
  auto ids = control.uncataloged();
  for (int attempt = 1; attempt < kAttempts && !ids && ids.error().error_number == EAGAIN; ++attempt) {
    ::usleep(kPauseMicroseconds);
    ids = control.uncataloged();
  }
  return ids;
}

std::optional<WholeCatalog> whole_catalog(const Spool& spool) {
  struct stat folder;
  const Place deferred{State::Deferred, {}};
  if (::stat(spool.folder_path(deferred).c_str(), &folder) != 0) return std::nullopt;
  std::vector<Id> unlisted;
  const Control control(spool, 2000);
  const bool is_running = control.is_running();
  if (is_running) {
    auto uncataloged = ask_for_uncataloged(control);
    if (!uncataloged) return std::nullopt;
    unlisted = std::move(*uncataloged);
  }
  auto catalog = Catalog::open(spool);  // after the question: what is known by then is in it
  if (!catalog || !*catalog || (*catalog)->rows() < kFewRows) return std::nullopt;
  if (!is_running && (*catalog)->header().folder_time != time_of(folder.st_mtim)) return std::nullopt;
  return WholeCatalog{std::move(**catalog), std::move(unlisted)};
}

Result<void> sample_catalog(Catalog& catalog, std::size_t count, const std::function<void(const Brief&)>& on_brief) {
  constexpr std::size_t kParts = 32;
  const std::uint64_t rows_of_part = std::max<std::uint64_t>(1, catalog.rows() / kParts);
  std::vector<Row> rows;
  Brief brief;
  for (std::uint64_t first = 0; first < catalog.rows(); first += rows_of_part) {
    const auto some = std::min<std::uint64_t>({count / kParts, rows_of_part, catalog.rows() - first});
    if (const auto read = catalog.read_rows(first, some, rows); !read) return read;
    if (const auto read = catalog.read_texts(rows); !read) return read;
    for (const auto& row : rows)
      if (row.kind == Row::Kind::Message && catalog.fill(brief, row, true)) on_brief(brief);
  }
  return {};
}

// From the end: of each message the first row counts then, and nothing of it need be kept but its id. Of a damaged catalog some messages have been
// told of when the error comes.
Result<void> count_catalog(const Catalog& catalog, const std::function<void(const Brief&)>& on_brief) {
  LastRows seen(catalog.rows());
  std::vector<Row> rows;
  Brief brief;
  for (std::uint64_t end = catalog.rows(); end > 0;) {
    const auto count = std::min<std::uint64_t>(kRowsAtOnce, end);
    end -= count;
    if (const auto read = catalog.read_rows(end, count, rows); !read) return read;
    for (std::size_t i = rows.size(); i-- > 0;) {
      const Row& row = rows[i];
      if (row.kind == Row::Kind::None) return base::fail(base::Fault::Permanent, "the catalog is damaged");
      if (seen.set(static_cast<std::uint32_t>(end + i), row.id) || row.kind == Row::Kind::Gone) continue;
      if (catalog.fill(brief, row, false)) on_brief(brief);
    }
  }
  return {};
}

}  // namespace queue
