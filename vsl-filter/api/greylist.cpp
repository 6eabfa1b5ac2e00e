// Greylisting (vsl.md 5.4; RFC 6647): who sends from a network to a recipient for the first time is asked to come back.
#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

#include "lib/base/text.h"
#include "vsl-filter/api/needs.h"
#include "vsl-filter/api/ip.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/api/soft_refusal.h"
#include "vsl-filter/lang/text.h"
#include "vsl-filter/services/service.h"

namespace rules {

using vsl::Expected;
using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

constexpr OptionRow kOptions[] = {
    // name, alias, type, required, default, doc
    {"delay", "", OptionType::Duration, false, "5m", "how long after the first attempt mail is taken"},
    {"expire", "", OptionType::Duration, false, "35d", "who sends nothing for so long is unknown again"},
};
constexpr std::string_view kServiceKey = "service";

// When a triplet was first and last seen, in seconds since 1970.
struct Seen {
  std::int64_t first = 0, last = 0;
};

// The same for both kinds of database: a row KEY, FIRST, LAST.
class Store {
 public:
  Store(Run& run, Service& service) : run_(run), service_(service), is_sql_(service.kind() == kSqliteKind.name) {}

  // SQL: makes the table if it is not there.
  Expected<void> prepare() {
    if (!is_sql_) return {};
    return drop(query("CREATE TABLE IF NOT EXISTS greylist(key TEXT PRIMARY KEY, first INTEGER, last INTEGER) WITHOUT ROWID", {}));
  }

  Expected<std::optional<Seen>> find(const std::string& key) {
    if (is_sql_) {
      auto rows = query("SELECT first, last FROM greylist WHERE key = ?", {run_.string(key)});
      if (!rows) return std::unexpected(std::move(rows.error()));
      if (rows->as_array().empty()) return std::nullopt;
      const vsl::Map& row = rows->as_array()[0].as_map();
      return seen_of(vsl::text_of(*row.find("first")), vsl::text_of(*row.find("last")));
    }
    Value wanted[] = {run_.string(key)};
    auto fields = service_.get(run_, wanted);
    if (!fields) return std::unexpected(std::move(fields.error()));
    const vsl::Array& record = fields->as_array();
    if (record.empty()) return std::nullopt;
    return seen_of(record.size() > 1 ? record[1].as_text() : "", record.size() > 2 ? record[2].as_text() : "");
  }

  // `known`: there is a row already.
  Expected<void> put(const std::string& key, const Seen& seen, bool known) {
    if (is_sql_)
      return drop(query("INSERT INTO greylist VALUES(?1, ?2, ?3) ON CONFLICT(key) DO UPDATE SET first = ?2, last = ?3",
                        {run_.string(key), Value(seen.first), Value(seen.last)}));
    if (known) {
      Value old[] = {run_.string(key)};
      if (auto removed = drop(service_.remove(run_, old)); !removed) return removed;
    }
    Value record[] = {run_.heap().array(std::array{run_.string(key), Value(seen.first), Value(seen.last)})};
    return drop(service_.set(run_, record));
  }

 private:
  Result query(std::string_view sql, std::initializer_list<Value> parameters) {
    Value arguments[] = {run_.string(sql), run_.heap().array(std::span<const Value>(parameters.begin(), parameters.size()))};
    return service_.query(run_, arguments);
  }
  static Expected<void> drop(Result result) {
    if (!result) return std::unexpected(std::move(result.error()));
    return {};
  }
  // What somebody else wrote there counts as seen long ago.
  static Seen seen_of(std::string_view first, std::string_view last) {
    const Seen seen{base::text::parse_number<std::int64_t>(first).value_or(0), base::text::parse_number<std::int64_t>(last).value_or(0)};
    return {seen.first, std::max(seen.first, seen.last)};
  }

  Run& run_;
  Service& service_;
  bool is_sql_;
};

// Senders have several machines: the /24 or /64 of the client counts.
std::string network_of(const std::string& client_ip) {
  auto ip = Ip::parse(client_ip);
  if (!ip) return client_ip;
  ip->low &= ip->is_v6 ? 0 : ~std::uint64_t{0xFF};
  return ip->text();
}

struct Times {
  std::int64_t now, delay, expire;
};

// Whether the triplet may pass; what is seen is noted.
Expected<bool> may_pass(Store& store, const std::string& key, const Times& times) {
  auto found = store.find(key);
  if (!found) return std::unexpected(std::move(found.error()));
  const bool is_known = *found && times.now - (*found)->last <= times.expire;
  if (!is_known) {
    if (auto put = store.put(key, {times.now, times.now}, found->has_value()); !put) return std::unexpected(std::move(put.error()));
    return false;
  }
  if (times.now - (*found)->first < times.delay) return false;
  // Not at each message: a row written now and then is enough to stay known.
  if (times.now - (*found)->last > times.expire / 8)
    if (auto put = store.put(key, {(*found)->first, times.now}, true); !put) return std::unexpected(std::move(put.error()));
  return true;
}

Result check(Run& run, Arguments a) {
  auto session = session_at(run, Stage::Rcpt, "greylist::check");
  if (!session) return pass_on(session);
  auto transaction = transaction_at(run, Stage::Rcpt, "greylist::check");
  if (!transaction) return pass_on(transaction);

  vsl::Map& given = a[0].map_for_write(run.heap());
  const Value named = given.remove(run.string(kServiceKey));
  Service* service = service_of(named);
  if (service == nullptr || (service->kind() != kCsvKind.name && service->kind() != kSqliteKind.name))
    return vsl::fail_api("greylist::check needs an option 'service': a db:csv or db:sqlite service");
  auto options = ServiceOptions::read("greylist::check", kOptions, given);
  if (!options) return pass_on(options);
  const auto seconds = [&](std::string_view name) { return std::chrono::duration_cast<std::chrono::seconds>(options->duration(name)).count(); };
  const Times times{std::chrono::duration_cast<std::chrono::seconds>(scene_of(run).site.now().time_since_epoch()).count(), seconds("delay"), seconds("expire")};

  Store store(run, *service);
  if (auto prepared = store.prepare(); !prepared) return pass_on(prepared);
  // At RCPT the recipient at hand; later, when they are all there, each of them.
  auto recipients = (*transaction)->recipients.all();
  if (scene_of(run).stage == Stage::Rcpt && !recipients.empty()) recipients = recipients.last(1);
  bool may = true;
  for (const Recipient& recipient : recipients) {
    const std::string key =
        base::text::to_lower(network_of((*session)->connection.client_ip) + " " + (*transaction)->reverse_path + " " + recipient.address);
    auto passes = may_pass(store, key, times);
    if (!passes) return pass_on(passes);
    may = may && *passes;
  }
  if (may) return value_of(run.heap(), Status{});
  return soft_refusal(run, {451, "4.7.1", "Sender is not authorized. Please try again."});  // code_greylist
}

constexpr ApiRow kRows[] = {
    api<check>("greylist::check", "", {vsl::Type::Map}, from(Stage::Rcpt),
               "refuses who is new for a while: greylist::check(#{ delay: \"5m\", expire: \"35d\", service: db }), db a csv or sqlite service",
               vsl::kMustUse | kNoHandle | kGivesStatus | kKeeps),
};

}  // namespace

std::span<const ApiRow> greylist_rows() { return kRows; }

}  // namespace rules
