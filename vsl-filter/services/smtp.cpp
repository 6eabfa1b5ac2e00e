#include "vsl-filter/services/smtp.h"

#include <algorithm>
#include <utility>

#include "lib/chain/transfer.h"

namespace rules {

using vsl::Expected;
using vsl::Run;

namespace {

constexpr OptionRow kOptions[] = {
    // name, alias, type, required, default, doc
    {"delegator", "", OptionType::Map, true, "", "where messages are sent: #{address: \"127.0.0.1:10026\", timeout: \"60s\", protocol: \"smtp\"}"},
    {"receiver", "", OptionType::Text, true, "", "where they come back: \"127.0.0.1:10025\", an address of smtp.listen"},
    {"clients", "", OptionType::Words, false, "", "addresses and networks that may bring them back; by default all of this host if receiver is a loopback address, else the address of delegator"},
};
constexpr OptionRow kDelegatorOptions[] = {
    {"address", "", OptionType::Text, true, "", "\"127.0.0.1:10026\", \"scanner.example.org:10026\" or \"unix:/path\""},
    {"timeout", "", OptionType::Duration, false, "60s", "how long it may take to answer a command"},
    {"protocol", "", OptionType::Text, false, "smtp", "\"smtp\" or \"lmtp\""},
};

bool is_all(const std::string& ip) { return ip == "0.0.0.0" || ip == "::"; }
bool is_loopback(const std::string& ip) { return ip == "::1" || ip.starts_with("127."); }

// Of "unix:PATH" nothing but that.
struct Place {
  std::string ip;  // "" of a name or a path
};
Expected<Place> place_of(const std::string& label, const std::string& address) {
  const auto wrong = [&] { return vsl::fail_api("the option 'address' of the delegator of " + label + " must be \"HOST:PORT\" or \"unix:/path\", not \"" + address + "\""); };
  if (address.starts_with("unix:/")) return Place{};
  const auto target = chain::ForwardTarget::parse(address);
  if (!target || target->port == 0 || target->kind == chain::ForwardTarget::Kind::Url) return wrong();
  const auto parsed = net::Address::parse(address);
  return Place{parsed ? parsed->ip() : std::string()};
}

Expected<std::vector<std::string>> clients_of(const std::string& label, const ServiceOptions& options, const net::Address& receiver, const Place& place) {
  std::vector<std::string> words = options.words("clients");
  if (!options.is_given("clients")) {
    if (is_loopback(receiver.ip())) words = {"127.0.0.0/8", "::1"};
    else if (!place.ip.empty()) words = {place.ip};
    else return vsl::fail_api(label + " is missing the 'clients' option: who may bring messages back to " + receiver.text() + "?");
  }
  return words;
}

Expected<std::vector<net::Network>> networks_of(const std::string& label, const std::vector<std::string>& clients) {
  std::vector<net::Network> networks;
  for (const auto& word : clients) {
    const auto network = net::Network::parse(word);
    if (!network) return vsl::fail_api("the option 'clients' of " + label + ": '" + word + "' is neither an address nor a network");
    networks.push_back(*network);
  }
  return networks;
}

Expected<std::unique_ptr<Service>> make(Run&, std::string name, const ServiceOptions& options) {
  const std::string label = "smtp service " + name;
  auto delegator = ServiceOptions::read("the delegator of " + label, kDelegatorOptions, *options.map("delegator"));
  if (!delegator) return std::unexpected(std::move(delegator.error()));
  chain::Delegation delegation;
  delegation.service = name;
  delegation.address = delegator->text("address");
  delegation.protocol = delegator->text("protocol");
  delegation.timeout_seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(delegator->duration("timeout")).count()));
  if (delegation.protocol != "smtp" && delegation.protocol != "lmtp") return vsl::fail_api("the option 'protocol' of the delegator of " + label + " must be \"smtp\" or \"lmtp\"");
  auto place = place_of(label, delegation.address);
  if (!place) return std::unexpected(std::move(place.error()));
  const auto receiver = net::Address::parse(options.text("receiver"));
  if (!receiver || !receiver->is_ip() || is_all(receiver->ip()) || receiver->port() == 0)
    return vsl::fail_api("the option 'receiver' of " + label + " must be one address of this host and a port, \"127.0.0.1:10025\", not \"" + options.text("receiver") + "\"");
  delegation.receiver = receiver->text();
  auto clients = clients_of(label, options, *receiver, *place);
  if (!clients) return std::unexpected(std::move(clients.error()));
  auto networks = networks_of(label, *clients);
  if (!networks) return std::unexpected(std::move(networks.error()));
  return std::make_unique<SmtpService>(std::move(name), std::move(delegation), *std::move(clients), *std::move(networks));
}

}  // namespace

SmtpService::SmtpService(std::string name, chain::Delegation delegation, std::vector<std::string> clients, std::vector<net::Network> networks)
    : Service(std::move(name), kSmtpKind.name), delegation_(std::move(delegation)), clients_(std::move(clients)), networks_(std::move(networks)) {}

bool SmtpService::takes_from(std::string_view client_ip) const {
  const auto client = net::Address::from_ip(client_ip, 0);
  return client && std::ranges::any_of(networks_, [&](const net::Network& network) { return network.contains(*client); });
}

const SmtpService* smtp_service_of(const vsl::Value& value) { return dynamic_cast<const SmtpService*>(service_of(value)); }

const ServiceKind kSmtpKind{"smtp", "smtp service", "smtp", "connect", kOptions, make, "a content filter, for delegate"};

}  // namespace rules
