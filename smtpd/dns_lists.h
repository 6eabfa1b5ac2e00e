// Lists of addresses in DNS (RFC 5782): which are asked about clients, what their answers mean and what they add up to. No I/O.
#pragma once

#include <array>
#include <bitset>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/base/settings.h"
#include "lib/net/socket.h"
#include "smtpd/service.h"

namespace smtpd {

struct DnsListFindings {
  int score = 0;
  std::vector<std::string> lists = {};  // zones that know the client, for better or worse
  std::string worst = {};               // the one of them that weighs most against it; "": none does
  [[nodiscard]] std::string names() const;  // of the lists, separated by blanks
  std::string text = {};                // what that one says about it
};

class DnsLists {
 public:
  enum class Action : std::uint8_t { None, Rcpt, Connect };

  // nullptr: none is set.
  [[nodiscard]] static base::Result<std::shared_ptr<const DnsLists>> from(const base::Settings& settings);
  // As Postfix's postscreen(8) has them: "zen.example=127.0.0.[2..11]*3", "dnswl.example*-2", separated by commas or blanks.
  [[nodiscard]] static base::Result<DnsLists> parse(const std::vector<std::string>& words, int threshold = 1, Action action = Action::Rcpt);

  [[nodiscard]] const std::vector<std::string>& zones() const { return zones_; }  // each once
  // "1.2.0.192.zen.example"; IPv6 by nibbles (RFC 5782 section 2.4).
  [[nodiscard]] static std::string name_of(const net::Address& client, std::string_view zone);
  // `answers`: the addresses that each of zones() has answered with, in their order; none: it does not know the client, or does not answer.
  [[nodiscard]] DnsListFindings judge(std::span<const std::vector<std::string>> answers) const;

  [[nodiscard]] Action action() const { return action_; }
  // Whether clients of this service are looked up.
  [[nodiscard]] bool is_for(Service service) const { return services_.test(index(service)); }
  [[nodiscard]] bool is_listed(const DnsListFindings& findings) const { return findings.score >= threshold_; }
  // Words of a reply, fit for reply_of_text(): they name the list and quote it.
  [[nodiscard]] static std::string refusal(const DnsListFindings& findings, std::string_view client_ip);

 private:
  // Values that each octet of an answer may have.
  using Filter = std::array<std::bitset<256>, 4>;
  struct Site {
    std::size_t zone;  // of zones_
    Filter filter;
    int weight;
  };
  static base::Result<Filter> parse_filter(std::string_view text);
  static Filter any_listing();
  [[nodiscard]] base::Result<void> add(std::string_view text);

  std::vector<std::string> zones_;
  std::vector<Site> sites_;
  int threshold_ = 1;
  Action action_ = Action::Rcpt;
  std::bitset<kServiceNames.size()> services_ = 1U << index(Service::Smtp);
};

}  // namespace smtpd
