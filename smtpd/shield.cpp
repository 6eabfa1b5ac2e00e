#include "smtpd/shield.h"

#include <algorithm>
#include <cmath>

#include "lib/base/log.h"
#include "smtpd/meters.h"

namespace smtpd {
namespace {

// In the order of Deed.
constexpr std::array<std::string_view, net::Ledger::kColumns> kLimits = {"shield.connection_rate", "shield.message_rate", "shield.recipient_rate",
                                                                         "shield.octet_rate",      "shield.error_rate",   "shield.failed_log_in_rate", ""};
constexpr unsigned kIpv4Network = 24, kIpv6Network = 64;

std::uint64_t limit_of(const base::Settings& settings, Deed deed) {
  const auto name = kLimits[static_cast<std::size_t>(deed)];
  if (name.empty()) return 0;
  return deed == Deed::Octets ? settings.octets(name) : settings.count(name);
}

net::Ledger::Periods periods_of(const base::Settings& settings) {
  net::Ledger::Periods periods;
  periods.fill(settings.milliseconds("shield.period"));
  periods[static_cast<std::size_t>(Deed::FailedLogIn)] = settings.milliseconds("auth.failure_address_time");
  periods[static_cast<std::size_t>(Deed::Accepted)] = settings.milliseconds("shield.good_time");
  return periods;
}

}  // namespace

base::Result<net::Ledger> Shield::ledger(const base::Settings& settings) {
  auto ledger = net::Ledger::open(settings.text("shield.file"), settings.count("shield.rows"), periods_of(settings));
  if (!ledger) return base::fail_within("shield.file", ledger.error());
  return ledger;
}

base::Result<std::shared_ptr<Shield>> Shield::from(const base::Settings& settings, const std::optional<net::Ledger>& kept) {
  auto ledger = kept ? base::Result<net::Ledger>(*kept) : Shield::ledger(settings);
  if (!ledger) return std::unexpected(ledger.error());
  const std::shared_ptr<Shield> shield(new Shield(std::move(*ledger)));
  for (std::size_t i = 0; i < kLimits.size(); ++i) shield->limits_[i] = limit_of(settings, static_cast<Deed>(i));
  shield->network_factor_ = settings.count("shield.network_factor");
  shield->failed_log_ins_max_ = settings.count("auth.failure_address_max");
  shield->stress_percent_ = settings.count("shield.stress_percent");
  shield->stress_timeout_ = settings.milliseconds("shield.stress_timeout");
  shield->stress_errors_ = static_cast<unsigned>(settings.count("shield.stress_error_count"));
  shield->tarpit_errors_ = settings.count("shield.tarpit_error_count");
  shield->tarpit_delay_ = settings.milliseconds("shield.tarpit_delay");
  shield->longest_tarpit_delay_ = settings.milliseconds("shield.tarpit_delay_max");
  shield->only_marks_early_talkers_ = settings.text("shield.early_talker") == "mark";
  shield->greeting_delay_ = settings.milliseconds("shield.greeting_delay");
  shield->ban_milliseconds_ = settings.milliseconds("shield.ban_time");
  shield->longest_ban_milliseconds_ = settings.milliseconds("shield.ban_time_max");
  for (const auto& word : settings.words("shield.exempt")) {
    const auto network = net::Network::parse(word);
    if (!network) return base::fail(base::Fault::Config, "shield.exempt: " + network.error().cause);
    shield->exempt_.push_back(*network);
  }
  return shield;
}

bool Shield::is_exempt(const net::Address& client) const {
  return !client.is_ip() || std::ranges::any_of(exempt_, [&](const net::Network& network) { return network.contains(client); });
}

bool Shield::knows_well(const net::Address& client) const {
  return is_exempt(client) || ledger_.count(net::Prefix::of(client, 32, 128), index(Deed::Accepted), net::Ledger::now()) > 0;
}

Standing Shield::standing(const net::Address& client) const {
  Standing standing;
  standing.is_stressed = is_under(Strain::Stress);
  if (is_exempt(client)) {
    standing.reputation = "good";
    return standing;
  }
  const auto now = net::Ledger::now();
  const auto circles = circles_of(client);
  standing.client = ledger_.counts(circles[0].whose, now);
  standing.network = ledger_.counts(circles[1].whose, now);
  if (suspicion(client) > 0) {
    standing.reputation = "bad";
  } else if (standing.client[index(Deed::Accepted)] > 0) {
    standing.reputation = "good";
  }
  return standing;
}

bool Shield::is_under(Strain strain) const {
  const auto until = ledger_.mark(static_cast<std::size_t>(strain));
  return until != 0 && until > net::Ledger::now();
}

std::array<Shield::Circle, 2> Shield::circles_of(const net::Address& client) const {
  return {{{net::Prefix::of(client, 32, 128), 1}, {net::Prefix::of(client, kIpv4Network, kIpv6Network), network_factor_}}};
}

bool Shield::is_beyond(const Circle& circle, Deed deed, double count) const {
  const auto limit = limits_[index(deed)];
  return limit != 0 && circle.factor != 0 && count > static_cast<double>(limit * circle.factor);
}

// Who is turned away is counted all the same: a client that goes on knocking stays outside.
std::string Shield::turns_away(const net::Address& client) {
  if (is_exempt(client)) return {};
  const auto now = net::Ledger::now();
  std::string why;
  for (const auto& circle : circles_of(client)) {
    if (ledger_.banned_until(circle.whose, now) != 0) return "banned";
    const auto count = ledger_.add(circle.whose, index(Deed::Connection), 1, now);
    if (is_beyond(circle, Deed::Connection, count)) why = "too many connections in a time from " + circle.whose.text();
  }
  return why;
}

std::string Shield::puts_off(const net::Address& client, Deed deed) {
  if (is_exempt(client)) return {};
  const auto now = net::Ledger::now();
  std::string why;
  for (const auto& circle : circles_of(client)) {
    const auto count = ledger_.add(circle.whose, index(deed), 1, now);
    if (is_beyond(circle, deed, count)) why = "too many " + std::string(kDeedNames[index(deed)]) + " in a time from " + circle.whose.text();
    if (deed == Deed::Message && is_beyond(circle, Deed::Octets, ledger_.count(circle.whose, index(Deed::Octets), now))) why = "too many octets in a time from " + circle.whose.text();
  }
  return why;
}

unsigned Shield::suspicion(const net::Address& client) const {
  if (tarpit_errors_ == 0 || is_exempt(client)) return 0;
  const auto count = std::ceil(ledger_.count(net::Prefix::of(client, 32, kIpv6Network), index(Deed::Error), net::Ledger::now()));
  return count >= static_cast<double>(tarpit_errors_) ? static_cast<unsigned>(count - static_cast<double>(tarpit_errors_)) + 1 : 0;
}

std::uint64_t Shield::delay_of(unsigned error, std::uint64_t first) const {
  return std::max(first, std::min(first + (error - 1) * tarpit_delay_, longest_tarpit_delay_));
}

// Who has an address of IPv6 has a whole network of them, and would guess from each anew.
bool Shield::forbids_log_in(const net::Address& client) const {
  if (failed_log_ins_max_ == 0 || is_exempt(client)) return false;
  const auto count = ledger_.count(net::Prefix::of(client, 32, kIpv6Network), index(Deed::FailedLogIn), net::Ledger::now());
  return std::ceil(count) >= static_cast<double>(failed_log_ins_max_);
}

void Shield::note(const net::Address& client, Deed deed, std::uint64_t amount) {
  if (amount == 0 || is_exempt(client)) return;
  const auto now = net::Ledger::now();
  if (deed == Deed::Error) count(Meter::OffenceError, amount);
  if (deed == Deed::FailedLogIn) count(Meter::OffenceFailedLogIn, amount);
  for (const auto& circle : circles_of(client)) {
    const auto count = ledger_.add(circle.whose, index(deed), amount, now);
    const bool is_reason = deed == Deed::Error || deed == Deed::FailedLogIn;
    if (!is_reason || ban_milliseconds_ == 0 || !is_beyond(circle, deed, count) || ledger_.banned_until(circle.whose, now) != 0) continue;
    const auto milliseconds = ledger_.ban(circle.whose, ban_milliseconds_, longest_ban_milliseconds_, now);
    smtpd::count(Meter::Bans);
    base::log::warning("banned", {{"client", circle.whose.text()}, {"for_seconds", milliseconds / 1000}, {"cause", "too many " + std::string(kDeedNames[index(deed)])}});
  }
}

}  // namespace smtpd
