#include "vsl-filter/transaction/context_parts.h"

#include <utility>

#include "lib/base/json_text.h"
#include "lib/base/text.h"
#include "lib/chain/context.h"
#include "vsl-filter/transaction/context_time.h"

namespace rules::context {
namespace {

using chain::ForwardTarget;
using chain::TransferMethod;

namespace json = base::json;

// {"name": ...}
void append_single(std::string& out, std::string_view name, const auto& append_value) {
  out += '{';
  json::append_name(out, name);
  append_value();
  out += '}';
}

void append_single_text(std::string& out, std::string_view name, std::string_view text) {
  append_single(out, name, [&] { json::append_string(out, text); });
}

void append_transfer(std::string& out, const chain::Transfer& transfer, ContextForm::For reader) {
  if (chain::has_words(transfer.method)) return append_single_text(out, chain::name_of(transfer.method), transfer.words);
  if (transfer.method != TransferMethod::Forward) return json::append_string(out, chain::name_of(transfer.method));
  const auto& target = transfer.target;
  append_single(out, "Forward", [&] { append_single_text(out, chain::name_of(target.kind), reader == ContextForm::For::Chain ? target.text() : target.public_text()); });
}

// v1's Domain, Ip and Socket, our Url; and {"Forward":"192.0.2.1:25"}, as older queues have it.
chain::Transfer read_transfer(const Json& value) {
  if (value.is_string()) {
    const auto method = chain::transfer_method_of(value.get_ref<const std::string&>());
    if (!method || *method == TransferMethod::Forward || chain::has_words(*method)) return {};
    return {*method, {}};
  }
  if (value.is_object() && value.size() == 1 && value.begin().value().is_string()) {
    const auto method = chain::transfer_method_of(value.begin().key());
    if (method && chain::has_words(*method)) return {*method, {}, value.begin().value().get<std::string>()};
  }
  const Json* forward = member(value, "Forward");
  if (forward != nullptr && forward->is_object() && forward->size() == 1) forward = &forward->begin().value();
  auto target = forward != nullptr && forward->is_string() ? ForwardTarget::parse(forward->get_ref<const std::string&>()) : std::nullopt;
  if (!target) return {};
  return {TransferMethod::Forward, std::move(*target)};
}

void append_error(std::string& out, const DeliveryStatus::Error& error) {
  out += '[';
  append_time(out, error.time);
  out += ',';
  if (error.is_no_such_mailbox) {
    append_single(out, "NoSuchMailbox", [&] { append_single_text(out, "name", error.text); });
  } else {
    append_single_text(out, "Other", error.text);
  }
  out += ']';
}

void append_errors(std::string& out, const std::vector<DeliveryStatus::Error>& errors) {
  out += '[';
  for (bool is_first = true; const auto& error : errors) {
    if (!std::exchange(is_first, false)) out += ',';
    append_error(out, error);
  }
  out += ']';
}

void append_status(std::string& out, const DeliveryStatus& status) {
  using Kind = DeliveryStatus::Kind;
  const auto append_timestamp = [&] { append_single(out, "timestamp", [&] { append_time(out, status.time); }); };
  switch (status.kind) {
    case Kind::Waiting: return append_single(out, "waiting", append_timestamp);
    case Kind::Sent: return append_single(out, "sent", append_timestamp);
    case Kind::Failed:
      return append_single(out, "failed", [&] {
        out += '{';
        json::append_name(out, "timestamp");
        append_time(out, status.time);
        json::append_member(out, "reason", status.reason);
        out += '}';
      });
    case Kind::HeldBack: return append_single(out, "heldback", [&] { append_single(out, "errors", [&] { append_errors(out, status.errors); }); });
  }
}

DeliveryStatus::Error read_error(const Json& value) {
  DeliveryStatus::Error error;
  if (!value.is_array() || value.size() != 2) return error;
  error.time = read_time(value[0]).value_or(base::WallTime());
  if (const Json* mailbox = member(value[1], "NoSuchMailbox"); mailbox != nullptr) {
    error.is_no_such_mailbox = true;
    error.text = text(*mailbox, "name");
  } else {
    error.text = text(value[1], "Other");
  }
  return error;
}

DeliveryStatus read_status(const Json& value) {
  using Kind = DeliveryStatus::Kind;
  DeliveryStatus status;
  const auto take = [&](std::string_view name, Kind kind) -> const Json* {
    const Json* found = member(value, name);
    if (found == nullptr) return nullptr;
    status.kind = kind;
    status.time = read_time(*found, "timestamp");
    return found;
  };
  if (take("waiting", Kind::Waiting) != nullptr || take("sent", Kind::Sent) != nullptr) return status;
  if (const Json* failed = take("failed", Kind::Failed); failed != nullptr) status.reason = text(*failed, "reason");
  if (const Json* held = take("heldback", Kind::HeldBack); held != nullptr) {
    if (const Json* errors = member(*held, "errors"); errors != nullptr && errors->is_array())
      for (const auto& error : *errors) status.errors.push_back(read_error(error));
  }
  return status;
}

}  // namespace

// ---- out -----------------------------------------------------------------------------------------------------------------

void append_time(std::string& out, base::WallTime time) { json::append_string(out, base::to_rfc3339(time)); }

void append_skip(std::string& out, const Skip& skip) {
  const auto name = name_of(skip.kind);
  switch (skip.kind) {
    case Skip::Kind::None: out += "null"; return;
    case Skip::Kind::Quarantine: return append_single_text(out, name, skip.name);
    case Skip::Kind::Accept:
    case Skip::Kind::Faccept:
    case Skip::Kind::Deny:
    case Skip::Kind::Info: break;
    default: return json::append_string(out, name);
  }
  if (!skip.reply.empty()) {
    const std::string_view line_end = skip.reply.ends_with("\r\n") ? "" : "\r\n";
    return append_single(out, name, [&] { append_single_text(out, "Right", skip.reply + std::string(line_end)); });
  }
  const std::string_view standard = skip.kind == Skip::Kind::Deny ? "Denied" : "Ok";
  append_single(out, name, [&] { append_single_text(out, "Left", skip.code.empty() ? standard : std::string_view(skip.code)); });
}

void append_credentials(std::string& out, const std::optional<Credentials>& credentials) {
  if (!credentials) {
    out += "null";
    return;
  }
  const auto& id = credentials->id;
  switch (credentials->kind) {
    case Credentials::Kind::Verify:
      return append_single(out, "Verify", [&] {
        out += '{';
        json::append_member(out, "authid", id);
        json::append_name(out, "authpass");
        out += "null}";
      });
    case Credentials::Kind::Query: return append_single(out, "Query", [&] { append_single_text(out, "authid", id); });
    case Credentials::Kind::AnonymousToken: return append_single(out, "AnonymousToken", [&] { append_single_text(out, "token", id); });
  }
}

void append_recipient(std::string& out, const Recipient& recipient, ContextForm::For reader) {
  out += '{';
  json::append_member(out, "address", recipient.address);
  json::append_name(out, "transfer_method");
  append_transfer(out, recipient.transfer, reader);
  if (recipient.before_quarantine) {
    json::append_name(out, "before_quarantine");
    append_transfer(out, *recipient.before_quarantine, reader);
  }
  json::append_name(out, "email_status");
  append_status(out, recipient.status);
  chain::append_dsn_of_recipient(out, recipient.dsn.notify, recipient.dsn.original_recipient);
  out += '}';
}

void append_checked(std::string& out, const std::string& json) { out += Json::accept(json) ? std::string_view(json) : "null"; }

std::string address(std::string_view ip, std::uint16_t port) {
  if (ip.empty()) return {};
  const bool is_ipv6 = ip.contains(':');
  return (is_ipv6 ? "[" + std::string(ip) + "]" : std::string(ip)) + ":" + std::to_string(port);
}

// ---- in ------------------------------------------------------------------------------------------------------------------

const Json* member(const Json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(std::string(name));
  return found == object.end() ? nullptr : &*found;
}

std::string text(const Json& object, std::string_view name) {
  const Json* value = member(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

bool flag(const Json& object, std::string_view name) {
  const Json* value = member(object, name);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

std::uint64_t count(const Json& object, std::string_view name) {
  const Json* value = member(object, name);
  return value != nullptr && value->is_number_unsigned() ? value->get<std::uint64_t>() : 0;
}

std::optional<base::WallTime> read_time(const Json& value) {
  if (value.is_string()) return parse_date_time(value.get_ref<const std::string&>());
  const Json *seconds = member(value, "secs_since_epoch"), *nanoseconds = member(value, "nanos_since_epoch");
  if (seconds == nullptr || !seconds->is_number_unsigned()) return std::nullopt;
  const auto whole = seconds->get<std::uint64_t>();
  if (whole > 9'000'000'000) return std::nullopt;  // what WallTime can count
  const auto rest = nanoseconds != nullptr && nanoseconds->is_number_unsigned() ? nanoseconds->get<std::uint64_t>() : 0;
  if (rest > 999'999'999) return std::nullopt;
  return base::WallTime(std::chrono::seconds(whole)) + std::chrono::nanoseconds(rest);
}

base::WallTime read_time(const Json& object, std::string_view name) {
  const Json* value = member(object, name);
  return value == nullptr ? base::WallTime() : read_time(*value).value_or(base::WallTime());
}

Skip read_skip(const Json& value) {
  Skip skip;
  if (value.is_string()) skip.kind = skip_kind_of(value.get_ref<const std::string&>()).value_or(Skip::Kind::None);
  if (!value.is_object() || value.size() != 1) return skip;
  skip.kind = skip_kind_of(value.begin().key()).value_or(Skip::Kind::None);
  const Json& payload = value.begin().value();
  if (payload.is_string()) skip.name = payload.get<std::string>();
  skip.code = text(payload, "Left");
  skip.reply = text(payload, "Right");
  while (skip.reply.ends_with('\n') || skip.reply.ends_with('\r')) skip.reply.pop_back();
  return skip;
}

std::optional<Credentials> read_credentials(const Json& value) {
  if (const Json* verify = member(value, "Verify")) return Credentials{Credentials::Kind::Verify, text(*verify, "authid"), {}};
  if (const Json* query = member(value, "Query")) return Credentials{Credentials::Kind::Query, text(*query, "authid"), {}};
  if (const Json* token = member(value, "AnonymousToken")) return Credentials{Credentials::Kind::AnonymousToken, text(*token, "token"), {}};
  return std::nullopt;
}

std::optional<Recipient> read_recipient(const Json& value) {
  const Json* address = member(value, "address");
  if (address == nullptr || !address->is_string()) return std::nullopt;
  Recipient recipient;
  recipient.address = address->get<std::string>();
  recipient.given = recipient.address;
  if (const Json* method = member(value, "transfer_method")) recipient.transfer = read_transfer(*method);
  if (const Json* method = member(value, "before_quarantine")) recipient.before_quarantine = read_transfer(*method);
  if (const Json* status = member(value, "email_status")) recipient.status = read_status(*status);
  recipient.dsn.notify = mail::parse_notify(text(value, "notify")).value_or(0);
  if (auto original = text(value, "orcpt"); mail::is_original_recipient(original, true)) recipient.dsn.original_recipient = std::move(original);
  return recipient;
}

void read_address(std::string_view text, std::string& ip, std::uint16_t& port) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return;
  const auto number = base::text::parse_number<std::uint16_t>(text.substr(colon + 1));
  auto host = text.substr(0, colon);
  if (!number) return;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  ip = host;
  port = *number;
}

}  // namespace rules::context
