// The catalog of deferred/ (vsmtp-spool(5)): what a listing tells of a million messages, read in one go, where opening each of
// them takes minutes. queue-run keeps it, a little behind what happens. Nothing depends on it: where it cannot be trusted, or
// is not there, the folder itself is read.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/unique_fd.h"
#include "lib/queue/catalog_format.h"
#include "lib/queue/spool.h"
#include "lib/queue/view.h"

namespace queue {

inline constexpr std::string_view kCatalogRows = "catalog.rows", kCatalogTexts = "catalog.texts";  // in the folder of the spool

// What a row says.
struct Brief {
  Listed listed;
  std::uint64_t message_octets = 0;
  std::size_t attempts = 0;
  bool must_look = false;     // it does not say all
  catalog_format::Text text;  // of those who have not got it
};

// Files that are open: they stay as they are, but for rows behind.
class Catalog {
 public:
  using Row = catalog_format::Row;

  // nothing: there is none of this version.
  [[nodiscard]] static base::Result<std::optional<Catalog>> open(const Spool& spool);

  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] const catalog_format::Header& header() const { return header_; }

  // Of a Row::Kind::None nothing can be said.
  [[nodiscard]] base::Result<void> read_rows(std::uint64_t first, std::size_t count, std::vector<Row>& rows) const;
  // The texts of neighbouring rows, for text_of() and fill().
  [[nodiscard]] base::Result<void> read_texts(std::span<const Row> rows);
  [[nodiscard]] std::optional<std::string_view> text_of(const Row& row) const;
  // Makes `brief` anew of a message's row. false: its text is damaged.
  [[nodiscard]] bool fill(Brief& brief, const Row& row, bool with_text) const;

  // For each row whether it is the last of a message in deferred/. Reads all rows; `is_whole`: none was None.
  struct Present {
    std::vector<bool> is_last;
    std::uint64_t messages = 0;
    bool is_whole = true;
  };
  [[nodiscard]] base::Result<Present> present() const;

 private:
  Catalog(base::UniqueFd rows, base::UniqueFd texts, const catalog_format::Header& header) : rows_file_(std::move(rows)), texts_file_(std::move(texts)), header_(header) {}

  base::UniqueFd rows_file_, texts_file_;
  catalog_format::Header header_;
  std::uint64_t rows_ = 0, texts_octets_ = 0;
  std::string texts_;  // of read_texts()
  std::uint64_t texts_begin_ = 0;
};

// The catalog when it tells of all of deferred/, but for those ids that queue-run has not got to yet. nothing: it does not, or there is
// too little in it to be worth it.
struct WholeCatalog {
  Catalog catalog;
  std::vector<Id> unlisted;
};
[[nodiscard]] std::optional<WholeCatalog> whole_catalog(const Spool& spool);

// Which messages one wants. `wants` may be asked of old rows too, from this thread only.
struct BriefVisitor {
  std::function<bool(const Brief&)> wants;
  std::function<bool(const Brief&)> on_brief;  // false: no more; empty: all that are wanted are read
  Visitor read;                                // for those whose files have to be read; `wants` of it stays empty
  bool looks_at_files = true;                  // that each is there still, and as its row says; else nothing but rows is looked at
};
// Each message once, the latest rows first.
[[nodiscard]] base::Result<void> visit_catalog(const Spool& spool, WholeCatalog& whole, const BriefVisitor& visitor, std::vector<Foreign>* foreign = nullptr);

// About `count` rows from all parts of the catalog, for estimates: neither files nor later rows are looked at.
[[nodiscard]] base::Result<void> sample_catalog(Catalog& catalog, std::size_t count, const std::function<void(const Brief&)>& on_brief);
// All that is in deferred/ as the rows say it, without texts.
[[nodiscard]] base::Result<void> count_catalog(const Catalog& catalog, const std::function<void(const Brief&)>& on_brief);

}  // namespace queue
