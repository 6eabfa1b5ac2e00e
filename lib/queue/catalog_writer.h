// Keeps the catalog of deferred/ (catalog.h). One at a time: who has the lock "queue-run" of the spool.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "lib/base/result.h"
#include "lib/base/unique_fd.h"
#include "lib/queue/catalog.h"
#include "lib/queue/spool.h"

namespace queue {

class CatalogWriter {
 public:
  // Goes on with `catalog`.
  [[nodiscard]] static base::Result<CatalogWriter> go_on(const Spool& spool, const Catalog& catalog);
  // A new one in its place, with what counts of it: of each message that is there the last row. nullptr: with nothing.
  [[nodiscard]] static base::Result<CatalogWriter> make_anew(const Spool& spool, Catalog* catalog);

  // Reads the file and what is recorded of it. One that is not there has gone.
  [[nodiscard]] base::Result<void> add(const Id& id);
  void gone(const Id& id);
  // All that was added. After a failure (disk full) it can be tried again.
  [[nodiscard]] base::Result<void> write();
  // Durable: the catalog tells of all that was in deferred/ when the folder had this modification time. write() takes it back.
  [[nodiscard]] base::Result<void> complete(base::WallTime folder_time);

  [[nodiscard]] std::uint64_t rows() const { return rows_; }  // those not yet written too

 private:
  CatalogWriter(const Spool& spool, std::uint64_t nonce) : spool_(&spool), nonce_(nonce) {}
  [[nodiscard]] base::Result<void> open(std::string_view suffix, int flags);
  [[nodiscard]] base::Result<void> copy(Catalog& catalog);
  [[nodiscard]] base::Result<void> take_names() const;  // those of the catalog that is used, in the place of ".new"
  void append(catalog_format::Row row, std::string_view text);

  const Spool* spool_;
  std::uint64_t nonce_;
  base::UniqueFd rows_file_, texts_file_;
  bool is_complete_ = false;                             // says the header on the disk
  std::uint64_t rows_octets_ = 0, texts_octets_ = 0;     // that are written
  std::uint64_t rows_ = 0;
  std::string new_rows_, new_texts_;
};

// The modification time of deferred/ by which a catalog is known to be that of the folder as it is. A change that comes later has
// another one: where the clock of the file system is too coarse for that, waits for its next tick.
[[nodiscard]] std::optional<base::WallTime> settled_folder_time(const Spool& spool);

// Reads all of deferred/ and makes its catalog; how many messages it has. `on_each` is called for each. The caller has the lock "queue-run".
[[nodiscard]] base::Result<std::uint64_t> rebuild_catalog(const Spool& spool, const std::function<void()>& on_each = {});

}  // namespace queue
