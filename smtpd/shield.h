// What a client, and its network, may do in a time, over all sessions and workers; who does more is put off or turned away for a
// while. smtpd(8), "Floods and bots".
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/settings.h"
#include "lib/net/ledger.h"

namespace smtpd {

// Columns of the ledger. qctl shield prints them under these names.
enum class Deed : std::uint8_t { Connection, Message, Recipient, Octets, Error, FailedLogIn, Accepted };
constexpr std::array<std::string_view, net::Ledger::kColumns> kDeedNames = {"connections", "messages", "recipients", "octets", "errors", "failed_log_ins", "accepted"};

// What all who share the ledger know: marks of it.
enum class Strain : std::uint8_t { Stress, Descriptors, Memory, Disk };

// What is known of a client, for rules.
struct Standing {
  std::array<double, net::Ledger::kColumns> client{}, network{};  // counts of its address and of its network
  std::string_view reputation = "unknown";                        // or "good", "bad"
  bool is_stressed = false;
};

class Shield {
 public:
  // `kept` is what outlives a reload; without one and without a file nothing is counted beyond this process and its children.
  [[nodiscard]] static base::Result<std::shared_ptr<Shield>> from(const base::Settings& settings, const std::optional<net::Ledger>& kept);
  [[nodiscard]] static base::Result<net::Ledger> ledger(const base::Settings& settings);

  [[nodiscard]] bool is_exempt(const net::Address& client) const;  // it is not counted

  // Mail of it was accepted, or a log-in of it, not long ago; or it is exempt. It is served when strangers are not.
  [[nodiscard]] bool knows_well(const net::Address& client) const;
  [[nodiscard]] Standing standing(const net::Address& client) const;
  // This process is under that strain: true for all for some seconds.
  void note(Strain strain) { ledger_.set_mark(static_cast<std::size_t>(strain), net::Ledger::now() + kStrainMilliseconds); }
  [[nodiscard]] bool is_under(Strain strain) const;
  // With how much patience strangers are heard then.
  [[nodiscard]] std::uint64_t stress_timeout() const { return stress_timeout_; }
  [[nodiscard]] unsigned stress_errors() const { return stress_errors_; }
  [[nodiscard]] bool begins_stress(std::size_t clients, std::size_t most) const { return stress_percent_ != 0 && clients * 100 >= most * stress_percent_; }
  // A little later than it has begun.
  [[nodiscard]] bool ends_stress(std::size_t clients, std::size_t most) const { return clients * 800 < most * stress_percent_ * 7; }

  // How late this client is greeted, in milliseconds.
  [[nodiscard]] std::uint64_t greeting_delay(const net::Address& client) const { return is_exempt(client) ? 0 : greeting_delay_; }

  // Whether one that talks before its greeting is let go on, and rules told.
  [[nodiscard]] bool only_marks_early_talkers() const { return only_marks_early_talkers_; }

  // A client comes. Why it is to be turned away; "": it is welcome.
  [[nodiscard]] std::string turns_away(const net::Address& client);
  // Before a message or a recipient is taken. Why not now; "": it is.
  [[nodiscard]] std::string puts_off(const net::Address& client, Deed deed);
  // The next error of this client's address is so much beyond those that are answered at once; 0: it is none of them.
  [[nodiscard]] unsigned suspicion(const net::Address& client) const;
  // How late the `error`th error beyond is answered, of which the first one is `first` milliseconds late.
  [[nodiscard]] std::uint64_t delay_of(unsigned error, std::uint64_t first) const;

  // Whether so many log-ins from there have failed that no other is let try.
  [[nodiscard]] bool forbids_log_in(const net::Address& client) const;
  // What was done cannot be refused any more, but counts: octets, errors, failed log-ins. Many of the latter two are a reason for a ban.
  void note(const net::Address& client, Deed deed, std::uint64_t amount);

 private:
  explicit Shield(net::Ledger ledger) : ledger_(std::move(ledger)) {}
  static constexpr std::uint64_t kStrainMilliseconds = 3000;
  static constexpr std::size_t index(Deed deed) { return static_cast<std::size_t>(deed); }
  // The client's address and its network, with how much more the latter may do.
  struct Circle {
    net::Prefix whose;
    std::uint64_t factor;  // 0: not looked at
  };
  [[nodiscard]] std::array<Circle, 2> circles_of(const net::Address& client) const;
  [[nodiscard]] bool is_beyond(const Circle& circle, Deed deed, double count) const;

  net::Ledger ledger_;
  std::array<std::uint64_t, net::Ledger::kColumns> limits_{};  // of an address in a period; 0: none
  std::uint64_t network_factor_ = 0;
  std::uint64_t failed_log_ins_max_ = 0;  // 0: no limit
  std::uint64_t tarpit_errors_ = 0, tarpit_delay_ = 0, longest_tarpit_delay_ = 0;
  std::uint64_t stress_percent_ = 0, stress_timeout_ = 0;
  unsigned stress_errors_ = 0;
  bool only_marks_early_talkers_ = false;
  std::uint64_t greeting_delay_ = 0;
  std::uint64_t ban_milliseconds_ = 0, longest_ban_milliseconds_ = 0;
  std::vector<net::Network> exempt_;
};

}  // namespace smtpd
