#include "vsl-filter/services/sqlite_database.h"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "vsl-filter/services/duration.h"

namespace rules {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kInstructionsBetweenLooks = 4000;  // at the clock
constexpr std::size_t kStatementsKept = 32;      // prepared, of each connection

struct ConnectionDeleter {
  void operator()(sqlite3* connection) const { ::sqlite3_close(connection); }
};
struct StatementDeleter {
  void operator()(sqlite3_stmt* statement) const { ::sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, StatementDeleter>;

// SQLite's callbacks get a pointer to it, so it does not move. In use by one thread at a time.
struct Connection {
  std::unique_ptr<sqlite3, ConnectionDeleter> handle;
  std::vector<std::pair<std::string, Statement>> statements;  // the last used one is the last; end before the handle
  Clock::time_point deadline;

  [[nodiscard]] std::chrono::milliseconds time_left() const { return std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()); }
  [[nodiscard]] base::Result<sqlite3_stmt*> prepare(std::string_view sql);
  [[nodiscard]] std::unexpected<base::Error> failure(int code) const;
};

int on_progress(void* connection) { return Clock::now() >= static_cast<Connection*>(connection)->deadline ? 1 : 0; }

// Waits for a lock of another connection: 1, 2, 4 ... 50 ms.
int on_busy(void* connection, int times) {
  const auto left = static_cast<Connection*>(connection)->time_left();
  if (left.count() <= 0) return 0;
  const auto pause = std::min<std::chrono::milliseconds>(left, std::chrono::milliseconds(times < 6 ? 1 << times : 50));
  ::usleep(static_cast<useconds_t>(pause.count() * 1000));
  return 1;
}

std::unexpected<base::Error> Connection::failure(int code) const {
  if (code == SQLITE_INTERRUPT) return base::fail(base::Fault::Temporary, "it takes longer than its time limit");
  const bool may_pass = code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_IOERR || code == SQLITE_FULL || code == SQLITE_NOMEM;
  return base::fail(may_pass ? base::Fault::Temporary : base::Fault::Permanent, ::sqlite3_errmsg(handle.get()));
}

base::Result<sqlite3_stmt*> Connection::prepare(std::string_view sql) {
  const auto known = std::ranges::find(statements, sql, &std::pair<std::string, Statement>::first);
  if (known != statements.end()) {
    std::rotate(known, known + 1, statements.end());
    return statements.back().second.get();
  }
  sqlite3_stmt* made = nullptr;
  const char* rest = nullptr;
  const int code = ::sqlite3_prepare_v3(handle.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &made, &rest);
  Statement statement(made);
  if (code != SQLITE_OK) return failure(code);
  if (!statement) return base::fail(base::Fault::Permanent, "no statement in '" + std::string(sql.substr(0, 60)) + "'");
  // What a value put into the text brings with it must not run.
  const std::string_view tail(rest, static_cast<std::size_t>(sql.data() + sql.size() - rest));
  if (tail.find_first_not_of(" \t\r\n;") != std::string_view::npos)
    return base::fail(base::Fault::Permanent, "more than one statement: '" + std::string(tail.substr(0, 60)) + "'");
  if (statements.size() == kStatementsKept) statements.erase(statements.begin());
  statements.emplace_back(sql, std::move(statement));
  return statements.back().second.get();
}

int bind(sqlite3_stmt* statement, int position, const SqlValue& value) {
  struct Visitor {
    sqlite3_stmt* statement;
    int position;
    int operator()(std::monostate) const { return ::sqlite3_bind_null(statement, position); }
    int operator()(std::int64_t i) const { return ::sqlite3_bind_int64(statement, position, i); }
    int operator()(double f) const { return ::sqlite3_bind_double(statement, position, f); }
    int operator()(const std::string& s) const { return ::sqlite3_bind_text64(statement, position, s.data(), s.size(), SQLITE_STATIC, SQLITE_UTF8); }
    int operator()(const SqlBlob& b) const { return ::sqlite3_bind_blob64(statement, position, b.octets.data(), b.octets.size(), SQLITE_STATIC); }
  };
  return std::visit(Visitor{statement, position}, value);
}

SqlValue column(sqlite3_stmt* statement, int position) {
  const auto octets = [&](const void* data) {
    return std::string(static_cast<const char*>(data), static_cast<std::size_t>(::sqlite3_column_bytes(statement, position)));
  };
  switch (::sqlite3_column_type(statement, position)) {
    case SQLITE_INTEGER: return std::int64_t{::sqlite3_column_int64(statement, position)};
    case SQLITE_FLOAT: return ::sqlite3_column_double(statement, position);
    case SQLITE_TEXT: return octets(::sqlite3_column_text(statement, position));
    case SQLITE_BLOB: {
      const void* data = ::sqlite3_column_blob(statement, position);
      return SqlBlob{data == nullptr ? std::string() : octets(data)};
    }
    default: return std::monostate{};
  }
}

base::Result<SqlRows> run(Connection& connection, sqlite3_stmt* statement, std::span<const SqlValue> parameters, std::size_t rows_max) {
  const auto wanted = static_cast<std::size_t>(::sqlite3_bind_parameter_count(statement));
  if (wanted != parameters.size())
    return base::fail(base::Fault::Permanent, std::to_string(parameters.size()) + " parameters for " + std::to_string(wanted) + " place-holders");
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (const int code = bind(statement, static_cast<int>(i) + 1, parameters[i]); code != SQLITE_OK) return connection.failure(code);
  SqlRows result;
  for (int i = 0; i < ::sqlite3_column_count(statement); ++i) result.columns.emplace_back(::sqlite3_column_name(statement, i));
  for (;;) {
    const int code = ::sqlite3_step(statement);
    if (code == SQLITE_DONE) return result;
    if (code != SQLITE_ROW) return connection.failure(code);
    if (result.rows.size() == rows_max) return base::fail(base::Fault::Permanent, "more than " + std::to_string(rows_max) + " rows");
    auto& row = result.rows.emplace_back();
    for (int i = 0; i < static_cast<int>(result.columns.size()); ++i) row.push_back(column(statement, i));
  }
}

}  // namespace

struct SqliteDatabase::Internal {
  Options options;
  std::mutex mutex;
  std::condition_variable returned;
  std::vector<std::unique_ptr<Connection>> idle;
  unsigned open = 0;  // idle ones and those in use
  pid_t process = ::getpid();

  [[nodiscard]] base::Result<std::unique_ptr<Connection>> connect() const;
  [[nodiscard]] base::Result<std::unique_ptr<Connection>> acquire(Clock::time_point deadline);
  void give_back(std::unique_ptr<Connection> connection);
  void forget_those_of_parent();
};

base::Result<std::unique_ptr<Connection>> SqliteDatabase::Internal::connect() const {
  auto connection = std::make_unique<Connection>();
  sqlite3* handle = nullptr;
  const int access = options.is_read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int code = ::sqlite3_open_v2(options.path.c_str(), &handle, access | SQLITE_OPEN_NOMUTEX, nullptr);
  connection->handle.reset(handle);
  if (handle == nullptr) return base::fail(base::Fault::Temporary, "out of memory");
  if (code != SQLITE_OK) return connection->failure(code);
  // A text of SQL reaches this file and no other.
  ::sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  ::sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  ::sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
  ::sqlite3_busy_handler(handle, on_busy, connection.get());
  ::sqlite3_progress_handler(handle, kInstructionsBetweenLooks, on_progress, connection.get());
  return connection;
}

// SQLite forbids to use, and even to close, what was opened before a fork(2).
void SqliteDatabase::Internal::forget_those_of_parent() {
  if (process == ::getpid()) return;
  for (auto& connection : idle) (void)connection.release();
  idle.clear();
  open = 0;
  process = ::getpid();
}

base::Result<std::unique_ptr<Connection>> SqliteDatabase::Internal::acquire(Clock::time_point deadline) {
  std::unique_lock lock(mutex);
  forget_those_of_parent();
  if (!returned.wait_until(lock, deadline, [&] { return !idle.empty() || open < options.connections; }))
    return base::fail(base::Fault::Temporary, "all " + std::to_string(options.connections) + " connections are in use");
  if (!idle.empty()) {
    auto connection = std::move(idle.back());
    idle.pop_back();
    return connection;
  }
  ++open;
  lock.unlock();
  auto connection = connect();
  if (!connection) {
    lock.lock();
    --open;
    returned.notify_one();
  }
  return connection;
}

void SqliteDatabase::Internal::give_back(std::unique_ptr<Connection> connection) {
  const std::scoped_lock lock(mutex);
  // What a rule has begun and not ended must not become part of another one's work.
  if (::sqlite3_get_autocommit(connection->handle.get()) == 0) ::sqlite3_exec(connection->handle.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  idle.push_back(std::move(connection));
  returned.notify_one();
}

SqliteDatabase::SqliteDatabase(Options options) : internal_(std::make_unique<Internal>()) { internal_->options = std::move(options); }
SqliteDatabase::~SqliteDatabase() { internal_->forget_those_of_parent(); }

base::Result<void> SqliteDatabase::load() {
  if (auto done = query("SELECT 1 FROM sqlite_schema LIMIT 1"); !done) return std::unexpected(std::move(done.error()));
  return {};
}

base::Result<SqlRows> SqliteDatabase::query(std::string_view sql, std::span<const SqlValue> parameters) {
  const auto deadline = Clock::now() + internal_->options.timeout;
  auto connection = internal_->acquire(deadline);
  if (!connection) return std::unexpected(connection.error());
  (*connection)->deadline = deadline;
  auto statement = (*connection)->prepare(sql);
  base::Result<SqlRows> result = statement ? run(**connection, *statement, parameters, internal_->options.rows_max)
                                           : std::unexpected(std::move(statement.error()));
  if (statement) {
    ::sqlite3_reset(*statement);
    ::sqlite3_clear_bindings(*statement);
  }
  internal_->give_back(std::move(*connection));
  return result;
}

}  // namespace rules
