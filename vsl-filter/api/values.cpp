#include "vsl-filter/api/values.h"

#include <array>
#include <chrono>

#include "vsl-filter/api/api.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/lang/program.h"
#include "vsl-filter/lang/run.h"
#include "vsl-filter/lang/text.h"

namespace rules {

using vsl::Expected;
using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

// --- times ---

std::int64_t microseconds_of(base::WallTime time) {
  return std::chrono::floor<std::chrono::microseconds>(time).time_since_epoch().count();
}

void append_seconds(const vsl::HostObject& self, std::string& out) {
  out += std::to_string(std::chrono::floor<std::chrono::seconds>(self.as<base::WallTime>()).time_since_epoch().count());
}

void append_with_fraction(const vsl::HostObject& self, std::string& out) {
  append_seconds(self, out);
  const std::int64_t rest = ((microseconds_of(self.as<base::WallTime>()) % 1'000'000) + 1'000'000) % 1'000'000;
  const std::string digits = std::to_string(rest);
  out += "." + std::string(6 - digits.size(), '0') + digits;
}

Expected<std::optional<bool>> equal_times(Run&, const Value& self, const Value& other) {
  const auto* time = vsl::host_cast<base::WallTime>(other, kTimeClass);
  return time != nullptr && *time == self.as_host().as<base::WallTime>();
}

Expected<std::optional<std::partial_ordering>> compare_times(Run&, const Value& self, const Value& other) {
  const auto* time = vsl::host_cast<base::WallTime>(other, kTimeClass);
  if (time == nullptr) return std::nullopt;
  return self.as_host().as<base::WallTime>() <=> *time;
}

// time + seconds, time - seconds, time - time (seconds).
Result calculate(Run& run, std::string_view symbol, const Value& self, const Value& other, bool is_left) {
  if (!is_left) return Value::absent();
  const auto& time = self.as_host().as<base::WallTime>();
  if (const auto* earlier = vsl::host_cast<base::WallTime>(other, kTimeClass); earlier != nullptr && symbol == "-")
    return static_cast<double>(microseconds_of(time) - microseconds_of(*earlier)) / 1e6;
  if (!other.is_number() || (symbol != "+" && symbol != "-")) return Value::absent();
  const double seconds = symbol == "-" ? -other.as_number() : other.as_number();
  if (!(seconds > -1e9 && seconds < 1e9)) return vsl::fail(vsl::ErrorKind::Arithmetic, "a time of more than 30 years from here");
  return value_of(run.heap(), time + std::chrono::microseconds(static_cast<std::int64_t>(seconds * 1e6)));
}

// --- credentials ---

struct CredentialType {
  Credentials::Kind kind;
  std::string_view name;
};
constexpr CredentialType kCredentialTypes[] = {
    {Credentials::Kind::Verify, "Verify"},
    {Credentials::Kind::Query, "Query"},
    {Credentials::Kind::AnonymousToken, "AnonymousToken"},
};

struct CredentialRow {
  std::string_view name;
  unsigned kinds;  // bits by number
  std::string Credentials::*text;
};
constexpr unsigned of(Credentials::Kind kind) { return 1u << static_cast<unsigned>(kind); }
constexpr CredentialRow kCredentials[] = {
    {"authid", of(Credentials::Kind::Verify) | of(Credentials::Kind::Query), &Credentials::id},
    {"authpass", of(Credentials::Kind::Verify), &Credentials::password},
    {"anonymous_token", of(Credentials::Kind::AnonymousToken), &Credentials::id},
};

Result credential(Run& run, const Value& self, std::string_view name) {
  const auto& credentials = self.as_host().as<Credentials>();
  const std::string_view type = kCredentialTypes[static_cast<std::size_t>(credentials.kind)].name;
  if (name == "type") return run.string(type);
  for (const CredentialRow& row : kCredentials) {
    if (row.name != name) continue;
    if ((row.kinds & of(credentials.kind)) != 0) return run.string(credentials.*row.text);
    return vsl::fail_api("no `" + std::string(name) + "` available in credentials of type `" + std::string(type) + "`");
  }
  return Value::absent();
}

// --- handles ---

// ctx["Name"] of v3: the first field of that name, or (); and writing it.
Result field(Run& run, const Value&, const Value& index) {
  auto session = session_at(run, "header");
  if (!session) return pass_on(session);
  const std::string name = vsl::text_of(index);
  const HeaderList& headers = (*session)->headers();
  return headers.has(name) ? run.string(headers.get(name)) : Value();
}

Expected<void> set_field(Run& run, const Value&, const Value& index, const Value& value) {
  auto session = session_at(run, "header");
  if (!session) return pass_on(session);
  const auto set = (*session)->headers().set(vsl::text_of(index), vsl::text_of(value));
  if (!set) return fail_with(set.error());
  return {};
}

// srv().config of v2: toml::.
Result server_property(Run& run, const Value&, std::string_view name) {
  if (name != "config") return Value::absent();
  Value config = run.heap().map();
  run.program().natives().each_constant([&](const vsl::NativeConstant& one) {
    if (one.space == "toml") config.map_for_write(run.heap()).set(one.name, one.value);
  });
  return config;
}

void context_text(const vsl::HostObject&, std::string& out) { out += "MailContext"; }
// The message as it is now; before there is one, what rules have added.
void message_text(const vsl::HostObject& self, std::string& out) {
  auto& session = self.as<Session>();
  auto* transaction = session.transaction();
  if (transaction == nullptr || !transaction->message) return session.headers().append_to(out);
  if (const auto text = transaction->message->text()) out += *text;
}
void server_text(const vsl::HostObject&, std::string& out) { out += "Server"; }

}  // namespace

Value value_of(vsl::Heap& heap, base::WallTime time) { return heap.host(kTimeClass, new base::WallTime(time)); }
Value value_of(vsl::Heap& heap, const Credentials& credentials) { return heap.host(kCredentialsClass, new Credentials(credentials)); }

const vsl::HostClass kTimeClass{
    .name = "time",
    .destroy = vsl::destroy_as<base::WallTime>,
    .text = append_seconds,
    .debug = append_with_fraction,
    .equal = equal_times,
    .compare = compare_times,
    .arithmetic = calculate,
};
const vsl::HostClass kCredentialsClass{.name = "credentials", .destroy = vsl::destroy_as<Credentials>, .get = credential};

const vsl::HostClass kHandleClass{.name = "handle"};
const vsl::HostClass kContextClass{.name = "context", .base = &kHandleClass, .text = context_text, .index = field, .set_index = set_field};
const vsl::HostClass kMessageClass{.name = "message", .base = &kHandleClass, .text = message_text};
const vsl::HostClass kServerClass{.name = "server", .base = &kHandleClass, .text = server_text, .get = server_property};

}  // namespace rules
