// The Sender Rewriting Scheme: a forwarder writes itself into the reverse-path, so that SPF holds at the next host, and finds
// the first sender again when a bounce comes back. No RFC; the forms are those of Shevek's paper "The Sender Rewriting Scheme"
// (2004) and of libsrs2, so that other forwarders on the way know what they see.
//
//   me@example.com                         goes through forward.example as
//   SRS0=HHHH=TT=example.com=me@forward.example          and from there through second.example as
//   SRS1=HHHH=forward.example==HHHH=TT=example.com=me@second.example, where it stays: only the last host is exchanged
//
// HHHH are the first characters of the base64 of an HMAC-SHA-1 over what follows it without its '=', in lower case: without the
// secret nobody can make an address that we would send mail on to. (Without '=', as others do it, so that an installation which
// comes from one of them and keeps its secret still knows the addresses that are on their way.) TT is the day it was made, in base 32 and modulo 1024.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/base/settings.h"

namespace mail {

class Srs {
 public:
  static constexpr std::size_t kLeastHash = 4, kMostHash = 27;  // of the 28 characters that SHA-1 has in base64 the last is '='
  static constexpr std::size_t kLeastSecretOctets = 16;
  static constexpr unsigned kMostDays = 1000;  // the day is known modulo 1024

  struct Rules {
    std::string domain;                // of our addresses, where their bounces come in
    std::vector<std::string> secrets;  // the first one signs, all are known: so it can be exchanged while bounces are on their way
    std::size_t hash_length = 4;       // of those that we make; longer ones are checked whole, shorter ones refused
    unsigned max_age_days = 21;
  };
  explicit Srs(Rules rules) : rules_(std::move(rules)) {}
  // Of delivery.srs_*; nothing when delivery.srs_domain is empty. Fault::Config: the file of secrets, or a value, is not as it should be.
  [[nodiscard]] static base::Result<std::optional<Srs>> from(const base::Settings& settings);

  // The same without looking at delivery.srs_domain: for at() and reverse().
  [[nodiscard]] static base::Result<Srs> of_no_domain(const base::Settings& settings);
  // The same for addresses of another domain. Fault::Config: it is none.
  [[nodiscard]] base::Result<Srs> at(std::string domain) const;

  [[nodiscard]] const std::string& domain() const { return rules_.domain; }

  // The reverse-path for the next host. As it is: the null one, one of our domain, and one that would be longer than a path
  // can be (RFC 5321 section 4.5.3.1.3).
  [[nodiscard]] std::string forward(std::string_view sender, base::WallTime now) const;

  enum class Fault { Malformed, Forged, TooOld };
  // Whether it is one of our domain that begins as those of forward() do: nobody else's mailbox.
  [[nodiscard]] bool is_ours(std::string_view recipient) const { return has_form_of(recipient, rules_.domain); }
  [[nodiscard]] static bool has_form(std::string_view recipient);
  [[nodiscard]] static bool has_form_of(std::string_view recipient, std::string_view domain);
  // Of such an address: who is meant.
  [[nodiscard]] std::expected<std::string, Fault> reverse(std::string_view recipient, base::WallTime now) const;

 private:
  [[nodiscard]] bool is_signed(std::string_view hash, std::string_view octets) const;

  Rules rules_;
};

[[nodiscard]] std::string_view describe(Srs::Fault fault);  // "too old"

}  // namespace mail
