// Services of kind `db:csv`: CSV files.
#include "vsl-filter/api/object_file.h"
#include "vsl-filter/lang/text.h"
#include "vsl-filter/services/named_by_rules.h"
#include "vsl-filter/services/csv_file.h"
#include "vsl-filter/services/csv_record.h"
#include "vsl-filter/services/service.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

constexpr OptionRow kOptions[] = {
    // name, alias, type, required, default, doc
    {"connector", "path", OptionType::Text, true, "", "the file, which must exist; a relative path is relative to the script"},
    {"access", "", OptionType::Text, false, "O_RDWR", "O_RDONLY, O_WRONLY or O_RDWR"},
    {"refresh", "", OptionType::Text, false, "always", "always: what others write is seen; no: the file is read once"},
    {"delimiter", "", OptionType::Text, false, ",", "the character between fields"},
};

class CsvService : public Service {
 public:
  CsvService(std::string name, CsvFile::Options options) : Service(std::move(name), kCsvKind.name), file_(std::move(options)) {}

  [[nodiscard]] CsvFile& file() { return file_; }

  Result get(Run& run, ServiceArguments arguments) override {
    const auto fields = file_.get(vsl::text_of(arguments[0]));
    if (!fields) return fail(fields.error().cause);
    Value array = run.heap().array(fields->size());
    for (const auto& field : *fields) array.array_for_write(run.heap()).push(run.string(field));
    return array;
  }

  Result set(Run&, ServiceArguments arguments) override {
    if (!arguments[0].is_array()) return fail("a record is an array of fields, not " + vsl::debug_of(arguments[0]));
    std::vector<std::string> fields;
    for (const Value& field : arguments[0].as_array()) fields.push_back(vsl::text_of(field));
    return done(file_.add(fields));
  }

  Result remove(Run&, ServiceArguments arguments) override { return done(file_.remove(vsl::text_of(arguments[0]))); }

 private:
  [[nodiscard]] Result done(const base::Result<void>& result) const {
    if (!result) return fail(result.error().cause);
    return Value();
  }

  CsvFile file_;
};

struct AccessRow {
  std::string_view name;
  bool may_read, may_write;
};
constexpr AccessRow kAccess[] = {{"O_RDONLY", true, false}, {"O_WRONLY", false, true}, {"O_RDWR", true, true}};

vsl::Expected<std::unique_ptr<Service>> make(Run& run, std::string name, const ServiceOptions& options) {
  CsvFile::Options wanted;
  wanted.path = beside_script(run, options.text("connector"));
  const AccessRow* access = nullptr;
  for (const AccessRow& row : kAccess)
    if (row.name == options.text("access")) access = &row;
  if (access == nullptr) return vsl::fail_api(options.text("access") + " is not a correct database access mode");
  wanted.may_read = access->may_read;
  wanted.may_write = access->may_write;
  if (options.text("refresh") != "always" && options.text("refresh") != "no")
    return vsl::fail_api(options.text("refresh") + " is not a correct database refresh rate");
  wanted.refreshes = options.text("refresh") == "always";
  wanted.delimiter = options.text("delimiter");
  if (!is_csv_delimiter(wanted.delimiter)) return vsl::fail_api("the delimiter of a csv database must be a single char");
  const std::string path = wanted.path;
  if (wanted.may_write) note_written(path);
  auto service = std::make_unique<CsvService>(std::move(name), std::move(wanted));
  if (const auto loaded = service->file().load(); !loaded) return vsl::fail_api("could not load database at " + path + ": " + loaded.error().cause);
  return service;
}

}  // namespace

const ServiceKind kCsvKind{"db:csv", "database", "csv", "connect", kOptions, make, "a CSV file as a database"};

}  // namespace rules
