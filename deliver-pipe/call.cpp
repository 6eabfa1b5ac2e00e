#include "deliver-pipe/call.h"

#include <algorithm>
#include <array>
#include <optional>

#include "lib/base/text.h"
#include "lib/mail/address.h"

namespace pipe_delivery {
namespace {

using base::Fault;

// The parts of a recipient's address, of which there is one.
struct Parts {
  std::string local, user, extension, domain;
};

Parts parts_of(const Party& party) {
  Parts parts;
  const auto [local, domain] = mail::split_address(party.recipients.front());
  parts.local = mail::unquote_local_part(local);
  parts.domain = base::text::to_lower(domain);
  const auto at = party.delimiter.empty() ? std::string::npos : parts.local.find(party.delimiter);
  parts.user = parts.local.substr(0, at);
  if (at != std::string::npos) parts.extension = parts.local.substr(at + party.delimiter.size());
  return parts;
}

struct Placeholder {
  std::string_view token;
  std::string Parts::*part;
};
constexpr auto kOfRecipient = std::to_array<Placeholder>({
    {"{local}", &Parts::local},
    {"{user}", &Parts::user},
    {"{extension}", &Parts::extension},
    {"{domain}", &Parts::domain},
});

base::Error unknown(std::string_view word) {
  return {Fault::Config, "'" + base::text::printable(word) + "': expected {recipient}, {sender}, {host}, {local}, {user}, {extension} or {domain}", 0};
}

// One argument; `parts` are not there when there are several recipients.
base::Result<std::string> expanded(std::string_view word, const Party& party, const std::optional<Parts>& parts) {
  std::string out;
  for (auto rest = word; !rest.empty();) {
    const auto brace = std::min(rest.find('{'), rest.size());
    out += rest.substr(0, brace);
    rest.remove_prefix(brace);
    if (rest.empty()) break;
    const bool is_first = out.empty();
    const auto value = [&]() -> base::Result<std::string> {
      if (base::text::consume(rest, "{sender}")) return party.sender;
      if (base::text::consume(rest, "{host}")) return party.host;
      const bool is_recipient = base::text::consume(rest, "{recipient}");
      const auto row = std::ranges::find_if(kOfRecipient, [&](const Placeholder& known) { return !is_recipient && base::text::consume(rest, known.token); });
      if (!is_recipient && row == kOfRecipient.end()) return std::unexpected(unknown(word));
      if (!parts) return base::fail(Fault::Config, "'" + std::string(word) + "': with --all only {recipient} as a whole argument, {sender} and {host} can stand");
      return is_recipient ? party.recipients.front() : *parts.*row->part;
    }();
    if (!value) return value;
    if (is_first && value->starts_with('-')) return base::fail(Fault::Permanent, "'" + base::text::printable(*value) + "' could be taken for an option");
    out += *value;
  }
  return out;
}

}  // namespace

std::string PipeCall::name() const { return command.empty() ? delivery.host : command.front(); }

base::Result<PipeCall> parse_call(const chain::Words& arguments) {
  PipeCall call;
  auto rest = arguments.begin();
  if (rest != arguments.end() && *rest == "{") {
    const auto end = std::find(rest, arguments.end(), "}");
    if (end == arguments.end()) return base::fail(Fault::Usage, "'{' without '}'");
    call.command.assign(rest + 1, end);
    if (call.command.empty()) return base::fail(Fault::Usage, "no command between the braces");
    rest = end + 1;
  }
  auto delivery = chain::parse_delivery_call(chain::Words(rest, arguments.end()));
  if (!delivery) return std::unexpected(delivery.error());
  call.delivery = std::move(*delivery);
  if (!call.command.empty()) return call;
  if (!call.delivery.host.starts_with('|') || call.delivery.host.size() == 1)
    return base::fail(Fault::Usage, "no command: expected { COMMAND ARGUMENT... } in front of HOST, or a HOST that is '|COMMAND LINE'");
  return call;
}

base::Result<chain::Words> words_of(const PipeCall& call, const Party& party) {
  if (call.command.empty()) return chain::Words{"/bin/sh", "-c", call.delivery.host.substr(1)};
  const auto parts = party.recipients.size() == 1 ? std::optional(parts_of(party)) : std::nullopt;
  chain::Words words = {call.command.front()};
  for (std::size_t i = 1; i < call.command.size(); ++i) {
    if (!parts && call.command[i] == "{recipient}") {
      for (const auto& recipient : party.recipients)
        if (recipient.starts_with('-')) return base::fail(Fault::Permanent, "'" + base::text::printable(recipient) + "' could be taken for an option");
      words.insert(words.end(), party.recipients.begin(), party.recipients.end());
      continue;
    }
    auto word = expanded(call.command[i], party, parts);
    if (!word) return std::unexpected(word.error());
    words.push_back(std::move(*word));
  }
  return words;
}

Variables variables_of(const Party& party, std::string_view from_line) {
  Variables variables = {
      {"SENDER", party.sender},
      {"NEWSENDER", party.sender},
      {"RPLINE", "Return-Path: <" + party.sender + ">\n"},
      {"UFLINE", std::string(from_line)},
  };
  if (party.recipients.size() != 1) return variables;
  const auto parts = parts_of(party);
  const auto& recipient = party.recipients.front();
  for (auto& [name, value] : Variables{{"RECIPIENT", recipient},
                                       {"LOCAL", parts.local},
                                       {"HOST", parts.domain},
                                       {"DOMAIN", parts.domain},
                                       {"USER", parts.user},
                                       {"EXT", parts.extension},
                                       {"DEFAULT", parts.extension},
                                       {"EXTENSION", parts.extension},
                                       {"DTLINE", "Delivered-To: " + recipient + "\n"}})
    variables.emplace_back(std::move(name), std::move(value));
  return variables;
}

std::vector<std::string> variable_names() {
  std::vector<std::string> names;
  for (auto& [name, value] : variables_of({"", "", {"a@b"}}, "")) names.push_back(std::move(name));
  return names;
}

}  // namespace pipe_delivery
