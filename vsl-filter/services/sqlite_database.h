// SQLite files behind a pool of connections. Service `db:sqlite` of the specification, 2.6. sqlite3_* stays in its .cpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "lib/base/result.h"

namespace rules {

struct SqlBlob {
  std::string octets;
  friend bool operator==(const SqlBlob&, const SqlBlob&) = default;
};
// What SQLite stores; monostate is NULL.
using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string, SqlBlob>;

struct SqlRows {
  std::vector<std::string> columns;
  std::vector<std::vector<SqlValue>> rows;
};

class SqliteDatabase {
 public:
  struct Options {
    std::string path;  // made when it does not exist, unless is_read_only
    std::chrono::milliseconds timeout{30'000};  // of a query, with all waiting
    unsigned connections = 4;                   // at most; more queries wait
    bool is_read_only = false;
    std::size_t rows_max = 100'000;             // of one result; more are an error
  };

  explicit SqliteDatabase(Options options);
  ~SqliteDatabase();

  // Opens one connection, so that a wrong path is known early.
  [[nodiscard]] base::Result<void> load();

  // One statement; its parameters ?, ?1, ... get the values in order. By any thread; blocks until there is a result.
  // Error: SQLite's words.
  [[nodiscard]] base::Result<SqlRows> query(std::string_view sql, std::span<const SqlValue> parameters = {});

 private:
  struct Internal;
  std::unique_ptr<Internal> internal_;
};

}  // namespace rules
