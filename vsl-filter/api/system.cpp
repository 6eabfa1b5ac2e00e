// The rules' log, time, the machine, its users and domains (vsl.md 3.7).
#include <libpsl.h>

#include <array>
#include <chrono>
#include <cstdlib>

#include "lib/base/account.h"
#include "lib/base/text.h"
#include "lib/mail/address.h"
#include "vsl-filter/api/needs.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

void write_log(Run& run, LogLevel level, std::string_view text) {
  if (const Log& log = scene_of(run).site.log) log(level, text);
}

Result log(Run& run, Arguments a) {
  const std::string name = name_argument(a[0]), text = name_argument(a[1]);
  if (const auto level = log_level_of(name))
    write_log(run, *level, text);
  else
    write_log(run, LogLevel::Warn, "Got an error with level `" + name + "`: no such level. Message was: '" + text + "'");
  return Value();
}

// v3: the topic stands in front of the text.
Result log_topic(Run& run, Arguments a) {
  std::array<Value, 2> two{a[1], run.string(name_argument(a[0]) + ": " + name_argument(a[2]))};
  return log(run, two);
}

template <LogLevel kLevel>
Result log_at(Run& run, Arguments a) {
  write_log(run, kLevel, name_argument(a[0]));
  return Value();
}

// "2026-11-21T20:15:00.123456Z"
std::string now_text(Run& run) { return base::to_rfc3339(scene_of(run).site.now()); }
Result date(Run& run, Arguments) { return run.string(now_text(run).substr(0, 10)); }
Result time(Run& run, Arguments) { return run.string(now_text(run).substr(11, 8)); }

Result hostname(Run& run, Arguments) { return run.string(scene_of(run).site.host_name); }

Result env(Run& run, Arguments a) {
  const char* value = std::getenv(name_argument(a[0]).c_str());
  return value == nullptr ? Value() : run.string(value);
}

Result user_exist(Run&, Arguments a) {
  const std::string name = name_argument(a[0]);
  const bool is_number = !name.empty() && base::text::is_digit(name.front());  // find_account() takes those too
  return !is_number && base::find_account(name).has_value();
}

// Addresses by their domain, texts as they are; anything else is in no domain.
Result in_domain(Run& run, Arguments a) {
  const mail::DomainList& own = scene_of(run).site.own_domains;
  const RuleObject* object = object_of(a[0]);
  if (object != nullptr && object->kind == Kind::Address) return own.contains(domain_key(object->domain()));
  if (object != nullptr ? object->kind != Kind::Fqdn : !a[0].is_string()) return false;
  const std::string text = name_argument(a[0]);
  const bool is_address = text.find('@') != std::string::npos;
  return own.contains(domain_key(is_address ? mail::split_address(text).second : std::string_view(text)));
}

// The list that libpsl was built with: no file is read.
Result get_root_domain(Run& run, Arguments a) {
  const std::string given = name_argument(a[0]), domain = domain_key(given);
  const psl_ctx_t* list = psl_builtin();
  const char* registrable = list == nullptr ? nullptr : psl_registrable_domain(list, domain.c_str());
  return run.string(registrable == nullptr ? given : registrable);
}

using enum vsl::Type;
constexpr ApiRow kRows[] = {
    api<log>("log", "logging::log", {Any, Any}, kEvery, "writes to the rules' log: log(\"info\", \"text\"); levels trace, debug, info, warn, error", kAtLoad | kNoHandle),
    api<log_topic>("log", "logging::log", {Any, Any, Any}, kEvery, "... with a topic in front: log(\"relay\", \"info\", \"text\")", kAtLoad | kNoHandle),
    api<log_at<LogLevel::Error>>("log_error", "logging::error err", {Any}, kEvery, "writes an error to the rules' log", kAtLoad | kNoHandle),
    api<log_at<LogLevel::Warn>>("log_warn", "logging::warn warn", {Any}, kEvery, "writes a warning to the rules' log", kAtLoad | kNoHandle),
    api<log_at<LogLevel::Info>>("log_info", "logging::info", {Any}, kEvery, "writes to the rules' log", kAtLoad | kNoHandle),
    api<log_at<LogLevel::Debug>>("log_debug", "logging::debug", {Any}, kEvery, "writes to the rules' log, for who looks for errors", kAtLoad | kNoHandle),
    api<log_at<LogLevel::Trace>>("log_trace", "logging::trace trace", {Any}, kEvery, "writes to the rules' log, for who looks for errors closely", kAtLoad | kNoHandle),
    api<date>("date", "time::date", {}, kEvery, "today, in UTC: \"2026-11-21\"", kAtLoad | kNoHandle),
    api<time>("time", "time::now time::time", {}, kEvery, "now, in UTC: \"20:15:00\"", kAtLoad | kNoHandle),
    api<hostname>("hostname", "unix::hostname utils::hostname", {}, kEvery, "name of this machine", kAtLoad | kNoHandle),
    api<env>("env", "utils::env unix::env env::variable", {Any}, kEvery, "variable of the environment, or ()", kAtLoad | kNoHandle),
    api<user_exist>("user_exist", "unix::user_exist", {Any}, kEvery, "whether the system has a user of this name", kAtLoad | kNoHandle | kWaits | kStarts),
    api<in_domain>("in_domain", "", {Any}, kEvery, "whether an address or domain is one of this server's", kAtLoad | kNoHandle),
    api<get_root_domain>("get_root_domain", "utils::get_root_domain", {Any}, kEvery, "the domain that was registered, by the public suffix list: \"a.b.co.uk\" is of \"b.co.uk\"",
                         kAtLoad | kNoHandle),
};

}  // namespace

std::span<const ApiRow> system_rows() { return kRows; }

}  // namespace rules
