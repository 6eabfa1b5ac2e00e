#include "lib/chain/delegation.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "lib/base/json_text.h"
#include "lib/base/text.h"
#include "lib/chain/transfer.h"

namespace chain {
namespace {

namespace text = base::text;
using Json = nlohmann::ordered_json;
using State = Delegation::State;

constexpr std::string_view kMember = "delegation";
constexpr auto kStates = std::to_array<std::string_view>({"waiting", "back", "returned"});

std::string_view name_of(State state) { return kStates[static_cast<std::size_t>(state)]; }

// The text between the first and the last quote, else as it is; without other quotes.
std::string value_of(std::string_view argument) {
  argument = text::trim(argument);
  const auto first = argument.find('"'), last = argument.rfind('"');
  if (first != last) argument = argument.substr(first + 1, last - first - 1);
  std::string value;
  for (const char c : argument)
    if (c != '"') value += c;
  return value;
}

// At the next ";" outside of quotes: names of directives may have some.
std::string_view next_argument(std::string_view& rest) {
  bool is_quoted = false;
  std::size_t end = 0;
  for (; end < rest.size() && (is_quoted || rest[end] != ';'); ++end)
    if (rest[end] == '"') is_quoted = !is_quoted;
  const auto argument = rest.substr(0, end);
  rest.remove_prefix(std::min(rest.size(), end + 1));
  return argument;
}

// Where the line that begins at `at` ends, behind its LF.
std::size_t end_of_line(std::string_view octets, std::size_t at) {
  const auto lf = octets.find('\n', at);
  return lf == std::string_view::npos ? octets.size() : lf + 1;
}

bool is_delegation_field(std::string_view line) {
  const auto colon = line.find(':');
  return colon != std::string_view::npos && text::equal_ignoring_case(text::trim(line.substr(0, colon)), kDelegationField);
}

// Copies the header without those fields, a stretch at a time. Returns where the body begins.
base::Result<std::size_t> append_header(base::BlobWriter& out, const base::Blob& message, std::string_view octets) {
  std::size_t kept_from = 0, at = 0;
  bool is_dropped = false;
  const auto keep_up_to = [&](std::size_t end) { return out.append_range(message, kept_from, end - kept_from); };
  while (at < octets.size()) {
    const auto end = end_of_line(octets, at);
    const auto line = octets.substr(at, end - at);
    if (line == "\r\n" || line == "\n") break;
    const bool goes_on = line.starts_with(' ') || line.starts_with('\t');
    const bool drops = goes_on ? is_dropped : is_delegation_field(line);
    if (drops && !is_dropped)
      if (auto kept = keep_up_to(at); !kept) return std::unexpected(std::move(kept.error()));
    if (!drops && is_dropped) kept_from = at;
    is_dropped = drops;
    at = end;
  }
  if (is_dropped) return at;
  if (auto kept = keep_up_to(at); !kept) return std::unexpected(std::move(kept.error()));
  return at;
}

std::string text_in(const Json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

}  // namespace

std::string DelegationMark::field() const {
  std::string out(kDelegationField);
  out.append(": sent; stage=").append(stage).append("; directive=\"").append(directive).append("\"; id=\"").append(id).append("\"\r\n");
  return out;
}

std::optional<DelegationMark> DelegationMark::parse(std::string_view folded) {
  std::string unfolded(folded);
  std::erase_if(unfolded, [](char c) { return c == '\r' || c == '\n'; });
  std::string_view body = unfolded;
  DelegationMark mark;
  (void)next_argument(body);  // what kind of mark it is
  while (!body.empty()) {
    const auto argument = next_argument(body);
    const auto equals = argument.find('=');
    if (equals == std::string_view::npos) continue;
    const auto key = text::to_lower(text::trim(argument.substr(0, equals)));
    std::string* part = key == "stage" ? &mark.stage : key == "directive" ? &mark.directive : key == "id" ? &mark.id : nullptr;
    if (part != nullptr && part->empty()) *part = value_of(argument.substr(equals + 1));
  }
  if (mark.stage.empty() || mark.directive.empty() || mark.id.empty()) return std::nullopt;
  return mark;
}

base::Result<base::Blob> with_delegation_field(const base::Blob& message, const DelegationMark& mark) {
  static const base::BlobWriter::Limits limits;
  const auto view = message.view();
  if (!view) return std::unexpected(view.error());
  base::BlobWriter out(limits);
  // What begins with a blank has no header, and must not become the end of this field.
  const bool has_header = !view->octets().starts_with(' ') && !view->octets().starts_with('\t');
  if (const auto written = out.append(mark.field() + (has_header ? "" : "\r\n")); !written) return std::unexpected(written.error());
  const auto body = has_header ? append_header(out, message, view->octets()) : base::Result<std::size_t>(0);
  if (!body) return std::unexpected(body.error());
  if (const auto written = out.append_range(message, *body, message.size() - *body); !written) return std::unexpected(written.error());
  return out.finish();
}

std::optional<Delegation> delegation_in(std::string_view context) {
  if (!context.contains("\"delegation\"")) return std::nullopt;
  const auto json = Json::parse(context, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto object = json.find(kMember);
  if (object == json.end() || !object->is_object()) return std::nullopt;
  const auto state = std::ranges::find(kStates, text_in(*object, "state"));
  if (state == kStates.end()) return std::nullopt;
  Delegation delegation;
  delegation.state = static_cast<State>(state - kStates.begin());
  delegation.stage = text_in(*object, "stage");
  delegation.directive = text_in(*object, "directive");
  delegation.service = text_in(*object, "service");
  delegation.address = text_in(*object, "address");
  delegation.protocol = text_in(*object, "protocol");
  delegation.receiver = text_in(*object, "receiver");
  delegation.id = text_in(*object, "id");
  if (const auto timeout = object->find("timeout"); timeout != object->end() && timeout->is_number_unsigned()) delegation.timeout_seconds = timeout->get<std::uint64_t>();
  if (delegation.stage.empty() || delegation.directive.empty()) return std::nullopt;
  return delegation;
}

void append_delegation(std::string& out, const Delegation& delegation) {
  out += '{';
  const auto member = [&out](std::string_view name, std::string_view value) {
    if (!value.empty()) base::json::append_member(out, name, value);
  };
  member("state", name_of(delegation.state));
  member("stage", delegation.stage);
  member("directive", delegation.directive);
  member("service", delegation.service);
  member("address", delegation.address);
  member("protocol", delegation.protocol);
  member("receiver", delegation.receiver);
  member("id", delegation.id);
  if (delegation.state != State::Returned) base::json::append_member(out, "timeout", static_cast<long long>(delegation.timeout_seconds));
  out += '}';
}

std::string context_when_back(std::string_view stored) {
  auto json = Json::parse(stored, nullptr, false);
  if (!json.is_object()) return std::string(stored);
  json.erase("queue");
  if (const auto delegation = json.find(kMember); delegation != json.end() && delegation->is_object()) (*delegation)["state"] = name_of(State::Back);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

base::Result<void> check_return(const Delegation& waiting, const Delegation& returned) {
  const auto refuse = [](const char* reply) { return base::fail(base::Fault::Permanent, reply); };
  if (waiting.state != State::Waiting || waiting.receiver != returned.receiver) return refuse("500 Delegation failed to get old context");
  if (waiting.stage != returned.stage) return refuse("500 Delegation stage not matching");
  if (waiting.directive != returned.directive) return refuse("500 Delegation directive not found");
  return {};
}

std::string delivery_host(const Delegation& delegation) {
  auto target = ForwardTarget::parse(delegation.address);
  if (!target) return delegation.address;  // unix:PATH
  target->kind = ForwardTarget::Kind::Url;
  target->tls = ForwardTarget::Tls::None;
  return target->public_text();
}

}  // namespace chain
