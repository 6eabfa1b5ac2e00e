// SMTP TLS reporting (RFC 8460): where a domain wants to be told, and what it is told. No I/O.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace authn::tlsrpt {

// Where reports go, of the TXT records at _smtp._tls.DOMAIN (section 3): "mailto:..." and "https:..."; none: nowhere, also where there are
// several records.
[[nodiscard]] std::vector<std::string> find_rua(std::span<const std::string> texts);
// The mailbox of "mailto:tls%2Breports@example.org?subject=x"; nullopt: it has none that mail can be sent to.
[[nodiscard]] std::optional<std::string> mailbox_of(std::string_view uri);

// One session with a host of a domain, or the attempt at one: a line of JSON in the journal.
struct Session {
  std::string domain;
  std::string policy;                 // "tlsa", "sts", "no-policy-found": section 4.4
  std::vector<std::string> strings;   // the policy, as it was found
  std::vector<std::string> mx;        // its patterns of hosts, of "sts"
  std::string host, ip, own_ip;
  std::string failure;                // a result type of section 4.3; "": it succeeded
  std::string reason;                 // in words

  friend bool operator==(const Session&, const Session&) = default;
};
[[nodiscard]] std::string format(const Session& session);  // with its line end
[[nodiscard]] std::optional<Session> parse_session(std::string_view line);

// What is counted of one domain in a day.
class Tally {
 public:
  static constexpr std::size_t kMostFailures = 1000;  // of different kinds; further ones are counted with the last of their policy

  void add(const Session& session);
  struct About {
    std::string organization, contact, report_id;
    std::string begin, end;  // "2026-11-22T00:00:00Z"
  };
  [[nodiscard]] std::string report(const About& about) const;  // section 4.4
  [[nodiscard]] std::uint64_t sessions() const { return sessions_; }

 private:
  struct Policy {
    Session facts;  // type, strings, mx, domain
    std::uint64_t successes = 0, failures = 0;
    std::map<std::vector<std::string>, std::uint64_t> details;  // failure, own ip, host, ip, reason
  };
  std::map<std::vector<std::string>, Policy> policies_;
  std::uint64_t sessions_ = 0;
};

}  // namespace authn::tlsrpt
