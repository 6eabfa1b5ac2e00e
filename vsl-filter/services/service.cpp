#include "vsl-filter/services/service.h"

#include <array>

#include "vsl-filter/api/needs.h"
#include "vsl-filter/lang/nearest.h"
#include "vsl-filter/lang/text.h"
#include "vsl-filter/services/smtp.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

constexpr std::array<const ServiceKind*, 4> kKinds{&kCommandKind, &kSmtpKind, &kCsvKind, &kSqliteKind};

void text(const vsl::HostObject& self, std::string& out) { out += self.as<Service>().name(); }

Result make(Run& run, const ServiceKind& kind, std::string name, const Value& options) {
  const std::string label = std::string(kind.label) + " " + name;
  if (!options.is_map()) return vsl::fail_api("the options of " + label + " must be a map #{ ... }, not " + vsl::debug_of(options));
  auto read = ServiceOptions::read(label, kind.options, options.as_map());
  if (!read) return std::unexpected(std::move(read.error()));
  auto made = kind.make(run, std::move(name), *read);
  if (!made) return std::unexpected(std::move(made.error()));
  return run.heap().host(kServiceClass, made->release());
}

Result improper(std::string_view type) {
  vsl::Nearest nearest(type);
  std::string known;
  for (const ServiceKind* kind : kKinds) {
    nearest.see(kind->name);
    known += (known.empty() ? "" : ", ") + std::string(kind->name);
  }
  const std::string suggestion = nearest.suggestion();
  return vsl::fail_api("Improper service type '" + std::string(type) + "'. " + (suggestion.empty() ? "There are: " + known : suggestion));
}

Result make_service(Run& run, ServiceArguments a) {
  const std::string_view type = a[1].as_text();
  for (const ServiceKind* kind : kKinds)
    if (kind->name == type) return make(run, *kind, std::string(a[0].as_text()), a[2]);
  return improper(type);
}

// cmd::build(#{...}): such a service goes by the name of its constructor in errors.
template <const ServiceKind* kKind>
Result construct(Run& run, ServiceArguments a) {
  return make(run, *kKind, std::string(kKind->space), a[0]);
}

template <Result (Service::*kMethod)(Run&, ServiceArguments)>
Result call(Run& run, ServiceArguments a) {
  return (a[0].as_host().as<Service>().*kMethod)(run, a.subspan(1));
}

using enum vsl::Type;
constexpr vsl::NativeRow kRows[] = {
    {"make_service", "", {String, String, Any}, kWaits, make_service, "what `service NAME KIND = #{...}` calls"},
    {"build", "connect", {Any}, vsl::kMustUse | kWaits | kStarts, construct<&kCommandKind>, "a program as a service: cmd::build(#{command, args, timeout, ...})", "cmd"},
    {"connect", "build", {Any}, vsl::kMustUse, construct<&kSmtpKind>, "a content filter to delegate to: smtp::connect(#{delegator: #{address, timeout}, receiver, clients})", "smtp"},
    {"connect", "build", {Any}, vsl::kMustUse | kWaits, construct<&kCsvKind>, "a CSV file as a database: csv::connect(#{connector, access, refresh, delimiter})", "csv"},
    {"connect", "build", {Any}, vsl::kMustUse | kWaits, construct<&kSqliteKind>, "an SQLite file: sqlite::connect(#{path, timeout, connections, read_only})", "sqlite"},
    {"run", "cmd_run run_cmd", {kServiceClass}, vsl::kPure, call<&Service::run>, "runs a cmd service; a map has_code, code, has_signal, signal, stdout, stderr"},
    {"run", "cmd_run run_cmd", {kServiceClass, Any}, vsl::kPure, call<&Service::run>, "... with these arguments instead of the declared ones"},
    {"run", "cmd_run run_cmd", {kServiceClass, Any, Any}, vsl::kPure, call<&Service::run>, "... and with a text on its standard input"},
    {"run", "", {Map}, kWaits | kStarts, run_process, "runs a program: process::run(#{args: [\"program\", \"argument\"]}), a map stdout, stderr, status, ...", "process"},
    {"get", "db_query", {kServiceClass, Any}, vsl::kMustUse, call<&Service::get>, "the fields of the first record with this key; [] if there is none"},
    {"set", "db_add add", {kServiceClass, Any}, vsl::kPure, call<&Service::set>, "adds a record, an array whose first element is its key"},
    {"rm", "db_rm remove", {kServiceClass, Any}, vsl::kPure, call<&Service::remove>, "deletes the records with this key"},
    {"query", "", {kServiceClass, String}, vsl::kPure, call<&Service::query>, "runs one statement of SQL; an array of maps, one a row"},
    {"query", "", {kServiceClass, String, Array}, vsl::kPure, call<&Service::query>, "... with values for its place-holders ?"},
};

Result property(Run& run, const Value& self, std::string_view name) {
  const auto* smtp = smtp_service_of(self);
  return smtp != nullptr && name == "receiver_address" ? run.string(smtp->receiver()) : vsl::Value::absent();
}

}  // namespace

const vsl::HostClass kServiceClass{.name = "service", .destroy = [](void* data) noexcept { delete static_cast<Service*>(data); }, .text = text, .get = property};

std::span<const ServiceKind* const> service_kinds() { return kKinds; }
std::span<const vsl::NativeRow> service_rows() { return kRows; }
Service* service_of(const Value& value) { return vsl::host_cast<Service>(value, kServiceClass); }

std::unexpected<vsl::Failure> Service::fail(std::string_view cause) const { return vsl::fail_api("service '" + name_ + "': " + std::string(cause)); }

Result Service::run(Run&, ServiceArguments) { return vsl::fail_api(name_ + " cannot be run as a cmd script."); }
Result Service::get(Run&, ServiceArguments) { return fail("'db_query' can only be used on a database service."); }
Result Service::set(Run&, ServiceArguments) { return fail("'db_add' can only be used on a database service."); }
Result Service::remove(Run&, ServiceArguments) { return fail("'db_rm' can only be used on a database service."); }
Result Service::query(Run&, ServiceArguments) { return fail("'query' can only be used on a database service that speaks SQL."); }

}  // namespace rules
