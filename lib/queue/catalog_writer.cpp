#include "lib/queue/catalog_writer.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "lib/base/crc32c.h"
#include "lib/base/durable.h"
#include "lib/base/io.h"
#include "lib/queue/folder_reader.h"
#include "lib/queue/folders.h"
#include "lib/queue/outstanding.h"

namespace queue {
namespace {

using base::Result;
using catalog_format::kHeaderOctets;
using catalog_format::kRowOctets;
using catalog_format::Row;

constexpr std::size_t kRowsAtOnce = 16'384;
constexpr std::string_view kNew = ".new";

std::string path_in(const Spool& spool, std::string_view name, std::string_view suffix = {}) { return spool.path() + "/" + std::string(name) + std::string(suffix); }

std::uint64_t new_nonce() {
  std::uint64_t nonce = 0;
  if (::getrandom(&nonce, sizeof nonce, 0) != static_cast<ssize_t>(sizeof nonce)) nonce = static_cast<std::uint64_t>(base::wall_now().time_since_epoch().count());
  return nonce;
}

}  // namespace

Result<void> CatalogWriter::open(std::string_view suffix, int flags) {
  auto rows = base::open_file(path_in(*spool_, kCatalogRows, suffix), O_RDWR | O_NOFOLLOW | flags);
  if (!rows) return std::unexpected(rows.error());
  auto texts = base::open_file(path_in(*spool_, kCatalogTexts, suffix), O_RDWR | O_NOFOLLOW | flags);
  if (!texts) return std::unexpected(texts.error());
  rows_file_ = std::move(*rows);
  texts_file_ = std::move(*texts);
  return {};
}

Result<CatalogWriter> CatalogWriter::go_on(const Spool& spool, const Catalog& catalog) {
  CatalogWriter writer(spool, catalog.header().nonce);
  if (const auto opened = writer.open({}, 0); !opened) return std::unexpected(opened.error());
  const auto texts = base::file_size(writer.texts_file_.get());
  if (!texts) return std::unexpected(texts.error());
  writer.is_complete_ = catalog.header().folder_time.has_value();
  writer.rows_ = catalog.rows();
  writer.rows_octets_ = kHeaderOctets + writer.rows_ * kRowOctets;
  writer.texts_octets_ = *texts;
  return writer;
}

Result<CatalogWriter> CatalogWriter::make_anew(const Spool& spool, Catalog* catalog) {
  CatalogWriter writer(spool, new_nonce());
  if (const auto opened = writer.open(kNew, O_CREAT | O_TRUNC); !opened) return std::unexpected(opened.error());
  for (const auto& begun : {base::pwrite_all(writer.rows_file_.get(), catalog_format::rows_header({writer.nonce_}), 0),
                            base::pwrite_all(writer.texts_file_.get(), catalog_format::texts_header({writer.nonce_}), 0)})
    if (!begun) return std::unexpected(begun.error());
  writer.rows_octets_ = writer.texts_octets_ = kHeaderOctets;
  if (catalog != nullptr)
    if (const auto copied = writer.copy(*catalog); !copied) return std::unexpected(copied.error());
  if (const auto named = writer.take_names(); !named) return std::unexpected(named.error());
  return writer;
}

Result<void> CatalogWriter::copy(Catalog& catalog) {
  const auto present = catalog.present();
  if (!present) return std::unexpected(present.error());
  std::vector<Row> rows;
  for (std::uint64_t first = 0; first < catalog.rows(); first += rows.size()) {
    if (const auto read = catalog.read_rows(first, std::min<std::uint64_t>(kRowsAtOnce, catalog.rows() - first), rows); !read) return read;
    if (const auto read = catalog.read_texts(rows); !read) return read;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!present->is_last[first + i]) continue;
      const auto text = catalog.text_of(rows[i]);
      rows[i].must_look = rows[i].must_look || !text;
      append(rows[i], text ? std::string(*text) : to_octets(catalog_format::Text()));
    }
    if (const auto written = write(); !written) return written;
  }
  return {};
}

Result<void> CatalogWriter::take_names() const {
  // A reader that comes between the two sees that they do not belong together.
  for (const auto name : {kCatalogTexts, kCatalogRows})
    if (const auto named = base::rename_file(path_in(*spool_, name, kNew), path_in(*spool_, name)); !named) return named;
  return {};
}

void CatalogWriter::append(Row row, std::string_view text) {
  row.text_offset = texts_octets_ + new_texts_.size();
  row.text_octets = static_cast<std::uint16_t>(text.size());
  row.text_checksum = base::crc32c(text);
  new_texts_ += text;
  new_rows_ += to_octets(row, nonce_);
  ++rows_;
}

void CatalogWriter::gone(const Id& id) {
  Row row;
  row.kind = Row::Kind::Gone;
  row.id = id;
  append(row, {});
}

Result<void> CatalogWriter::add(const Id& id) {
  const std::string path = spool_->file_path({State::Deferred, {}}, id);
  const base::UniqueFd file = open_to_look(AT_FDCWD, path);
  if (!file.is_open() && errno == ENOENT) return gone(id), Result<void>();
  if (!file.is_open()) return base::fail_errno("open " + path);
  struct stat status;
  if (::fstat(file.get(), &status) != 0) return base::fail_errno("look at " + path);
  std::uint64_t message_offset = 0;
  Row row;
  row.kind = Row::Kind::Message;
  row.id = id;
  row.modified = time_of(status.st_mtim);
  row.file_octets = static_cast<std::uint64_t>(status.st_size);
  const auto item = read_item_header(file.get(), row.file_octets, message_offset);
  const auto events = spool_->read_progress(id);
  if (!item || !events) {  // a listing will say what is wrong with it
    row.must_look = true;
    append(row, to_octets(catalog_format::Text()));
    return {};
  }
  row.header_octets = static_cast<std::uint32_t>(message_offset);
  auto left = outstanding_of(*item, *events);
  row.attempts = static_cast<std::uint16_t>(std::min<std::size_t>(left.attempts, UINT16_MAX));
  const auto text = to_octets(catalog_format::Text{item->envelope.reverse_path, std::move(left.reason), std::move(left.recipients)});
  const auto after_id = std::chrono::duration_cast<std::chrono::microseconds>(item->arrived - id.time()).count();
  row.arrived_after_id = static_cast<std::int32_t>(std::clamp<std::int64_t>(after_id, INT32_MIN, INT32_MAX));
  row.must_look = item->id != id || row.arrived_after_id != after_id || left.attempts > row.attempts || text.size() > catalog_format::kMostTextOctets ||
                  item->context.contains("\"quarantine\"");
  append(row, row.must_look ? to_octets(catalog_format::Text()) : text);
  return {};
}

Result<void> CatalogWriter::write() {
  if (new_rows_.empty()) return {};
  if (is_complete_) {  // durably, or a power cut could leave that beside a part of the rows
    auto begun = base::pwrite_all(rows_file_.get(), catalog_format::rows_header({nonce_}), 0);
    if (begun) begun = base::sync_data(rows_file_.get(), kCatalogRows);
    if (!begun) return begun;
    is_complete_ = false;
  }
  // At the same places when it is tried again; whoever reads a row finds its text.
  if (const auto written = base::pwrite_all(texts_file_.get(), new_texts_, texts_octets_); !written) return base::fail_within(std::string(kCatalogTexts), written.error());
  if (const auto written = base::pwrite_all(rows_file_.get(), new_rows_, rows_octets_); !written) return base::fail_within(std::string(kCatalogRows), written.error());
  texts_octets_ += new_texts_.size();
  rows_octets_ += new_rows_.size();
  new_texts_.clear();
  new_rows_.clear();
  return {};
}

Result<void> CatalogWriter::complete(base::WallTime folder_time) {
  if (const auto written = write(); !written) return written;
  for (const auto& synced : {base::sync_data(texts_file_.get(), kCatalogTexts), base::sync_data(rows_file_.get(), kCatalogRows)})
    if (!synced) return synced;
  if (const auto said = base::pwrite_all(rows_file_.get(), catalog_format::rows_header({nonce_, folder_time}), 0); !said) return said;
  is_complete_ = true;
  return base::sync_data(rows_file_.get(), kCatalogRows);
}

std::optional<base::WallTime> settled_folder_time(const Spool& spool) {
  constexpr auto kTick = std::chrono::milliseconds(20);  // of a kernel with 100 a second it is 10
  const std::string path = spool.folder_path({State::Deferred, {}});
  for (int attempt = 0; attempt < 5; ++attempt) {
    struct stat status;
    if (::stat(path.c_str(), &status) != 0) return std::nullopt;
    const auto time = time_of(status.st_mtim);
    if (base::wall_now() - time > kTick) return time;
    ::usleep(std::chrono::duration_cast<std::chrono::microseconds>(kTick).count());
  }
  return std::nullopt;  // somebody is busy there
}

Result<std::uint64_t> rebuild_catalog(const Spool& spool, const std::function<void()>& on_each) {
  const auto folder_time = settled_folder_time(spool);
  if (!folder_time) return base::fail(base::Fault::Temporary, "deferred/ changes all the time");
  auto writer = CatalogWriter::make_anew(spool, nullptr);
  if (!writer) return std::unexpected(writer.error());
  auto reader = FolderReader::open(spool, {State::Deferred, {}});
  if (!reader) return std::unexpected(reader.error());
  std::vector<FolderReader::Name> names;
  for (bool is_more = true; is_more;) {
    const auto more = reader->next_names(kRowsAtOnce, names, nullptr);
    if (!more) return std::unexpected(more.error());
    is_more = *more;
    std::ranges::sort(names, {}, &FolderReader::Name::inode);
    for (const auto& name : names) {
      if (const auto added = writer->add(name.id); !added) return std::unexpected(added.error());
      if (on_each) on_each();
    }
    if (const auto written = writer->write(); !written) return std::unexpected(written.error());
  }
  if (const auto said = writer->complete(*folder_time); !said) return std::unexpected(said.error());
  return writer->rows();
}

}  // namespace queue
