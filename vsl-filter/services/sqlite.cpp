// Services of kind `db:sqlite`: SQLite files.
#include "vsl-filter/api/object_file.h"
#include "vsl-filter/lang/text.h"
#include "vsl-filter/services/named_by_rules.h"
#include "vsl-filter/services/service.h"
#include "vsl-filter/services/sqlite_database.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

constexpr OptionRow kOptions[] = {
    // name, alias, type, required, default, doc
    {"path", "connector", OptionType::Text, true, "", "the file; it is made if it does not exist. A relative path is relative to the script"},
    {"timeout", "", OptionType::Duration, false, "30s", "of a query, with waiting for locks of others"},
    {"connections", "", OptionType::Count, false, "4", "queries at once; more wait"},
    {"read_only", "", OptionType::Flag, false, "false", "the file must exist and is not written"},
    {"rows_max", "", OptionType::Count, false, "100000", "rows of a result; more are an error"},
    {"sql_literals", "", OptionType::Flag, false, "false", "results as the text of SQL literals, as vSMTP 1.3 gave them"},
};

class SqliteService : public Service {
 public:
  SqliteService(std::string name, SqliteDatabase::Options options, bool gives_literals)
      : Service(std::move(name), kSqliteKind.name), database_(std::move(options)), gives_literals_(gives_literals) {}

  [[nodiscard]] SqliteDatabase& database() { return database_; }
  Result query(Run& run, ServiceArguments arguments) override;

 private:
  [[nodiscard]] Value value_of(Run& run, const SqlValue& value) const;

  SqliteDatabase database_;
  bool gives_literals_;
};

SqlValue sql_of(const Value& value) {
  if (value.is_unit()) return std::monostate{};
  if (value.is_bool()) return std::int64_t{value.as_bool()};
  if (value.is_int()) return value.as_int();
  if (value.is_float()) return value.as_float();
  if (value.is_blob()) {
    const auto bytes = value.as_blob().span();
    return SqlBlob{std::string(bytes.begin(), bytes.end())};
  }
  return vsl::text_of(value);  // also of objects
}

std::string quoted(std::string_view text) {
  std::string literal = "'";
  for (const char c : text) literal.append(c == '\'' ? 2 : 1, c);
  return literal + "'";
}

std::string literal_of(const SqlValue& value) {
  if (const auto* i = std::get_if<std::int64_t>(&value)) return std::to_string(*i);
  if (const auto* s = std::get_if<std::string>(&value)) return quoted(*s);
  if (const auto* b = std::get_if<SqlBlob>(&value)) return quoted(b->octets);
  std::string text;
  if (const auto* f = std::get_if<double>(&value)) vsl::append_float(text, *f);
  return text.empty() ? "NULL" : text;
}

Value SqliteService::value_of(Run& run, const SqlValue& value) const {
  if (gives_literals_) return run.string(literal_of(value));
  if (const auto* i = std::get_if<std::int64_t>(&value)) return *i;
  if (const auto* f = std::get_if<double>(&value)) return *f;
  if (const auto* s = std::get_if<std::string>(&value)) return run.string(*s);
  if (const auto* b = std::get_if<SqlBlob>(&value))
    return run.heap().blob({reinterpret_cast<const std::uint8_t*>(b->octets.data()), b->octets.size()});
  return Value();
}

Result SqliteService::query(Run& run, ServiceArguments arguments) {
  std::vector<SqlValue> parameters;
  if (arguments.size() > 1)
    for (const Value& parameter : arguments[1].as_array()) parameters.push_back(sql_of(parameter));
  base::Result<SqlRows> result;
  {
    const Waiting waiting(run);
    result = database_.query(arguments[0].as_text(), parameters);
  }
  if (!result) return fail(result.error().cause);
  Value rows = run.heap().array(result->rows.size());
  for (const auto& row : result->rows) {
    Value map = run.heap().map();
    for (std::size_t i = 0; i < row.size(); ++i) map.map_for_write(run.heap()).set(result->columns[i], value_of(run, row[i]));
    rows.array_for_write(run.heap()).push(std::move(map));
    if (!run.charge(1 + row.size())) break;
  }
  return rows;
}

vsl::Expected<std::unique_ptr<Service>> make(Run& run, std::string name, const ServiceOptions& options) {
  SqliteDatabase::Options wanted;
  wanted.path = beside_script(run, options.text("path"));
  wanted.timeout = options.duration("timeout");
  wanted.connections = static_cast<unsigned>(options.count("connections"));
  wanted.is_read_only = options.flag("read_only");
  wanted.rows_max = static_cast<std::size_t>(options.count("rows_max"));
  if (wanted.connections == 0) return vsl::fail_api("the option 'connections' of database " + name + " must be 1 at least");
  const std::string path = wanted.path;
  note_written(path);  // readers make files beside it, too
  auto service = std::make_unique<SqliteService>(std::move(name), std::move(wanted), options.flag("sql_literals"));
  if (const auto loaded = service->database().load(); !loaded)
    return vsl::fail_api("could not load database at " + path + ": " + loaded.error().cause);
  return service;
}

}  // namespace

const ServiceKind kSqliteKind{"db:sqlite", "database", "sqlite", "connect", kOptions, make, "an SQLite file"};

}  // namespace rules
