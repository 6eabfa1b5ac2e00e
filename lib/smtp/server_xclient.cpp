// XCLIENT (Postfix's XCLIENT_README): a proxy that is trusted says who the client is, and the session begins anew.
#include <algorithm>
#include <array>

#include "lib/base/text.h"
#include "lib/smtp/server_session.h"

namespace smtp {
namespace {

struct AttributeRow {
  std::string_view name;
  std::string Xclient::*value;  // nullptr: the next EHLO says it
};
constexpr auto kAttributes = std::to_array<AttributeRow>({
    {"NAME", &Xclient::name},
    {"ADDR", &Xclient::address},
    {"PORT", &Xclient::port},
    {"LOGIN", &Xclient::login},
    {"DESTADDR", &Xclient::server_address},
    {"DESTPORT", &Xclient::server_port},
    {"HELO", nullptr},
    {"PROTO", nullptr},
});

std::string value_of(std::string_view text) {
  if (base::text::equal_ignoring_case(text, "[UNAVAILABLE]") || base::text::equal_ignoring_case(text, "[TEMPUNAVAIL]")) return {};
  return from_xtext(text);
}

// NAME=VALUE, separated by blanks.
std::optional<Xclient> parse_xclient(std::string_view argument) {
  Xclient xclient;
  for (const auto pair : base::text::split(argument, ' ')) {
    if (pair.empty()) continue;
    const auto [name, value] = base::text::split_once(pair, '=');
    const auto row = std::ranges::find_if(kAttributes, [&](const AttributeRow& one) { return base::text::equal_ignoring_case(one.name, name); });
    if (row == kAttributes.end() || value.empty()) return std::nullopt;
    const auto text = value_of(value);
    if (std::ranges::any_of(text, [](char c) { return c < ' ' || c == 0x7f; })) return std::nullopt;
    if (row->value != nullptr) xclient.*row->value = text;
  }
  return xclient;
}

}  // namespace

std::string ServerSession::xclient_line() {
  std::string line = "XCLIENT";
  for (const auto& row : kAttributes) line.append(" ").append(row.name);
  return line;
}

void ServerSession::xclient(std::string_view argument, std::string& output) {
  if (!allows_xclient_) return reply({ReplyId::XclientDenied}, output);
  auto parsed = parse_xclient(argument);
  if (!parsed) return reply({ReplyId::BadArgument}, output);
  reset();
  state_ = kStart;
  helo_.clear();
  identity_.reset();
  if (!parsed->login.empty()) identity_ = std::make_unique<Identity>(parsed->login, sasl::find_mechanism("EXTERNAL"));
  xclient_ = std::make_unique<Xclient>(std::move(*parsed));
  stage_ = Stage::Connect;
  is_asking_ = true;  // whatever the options say: the driver must hear of it
}

}  // namespace smtp
