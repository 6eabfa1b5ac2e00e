#include "lib/authn/spf.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <expected>
#include <optional>
#include <utility>
#include <vector>

#include "lib/authn/spf_macro.h"
#include "lib/base/text.h"

namespace authn::spf {

namespace text = base::text;
using net::dns::Answer;
using net::dns::Status;
using net::dns::Type;

namespace {

constexpr std::size_t kMaxLabelOctets = 63;
constexpr std::size_t kMaxNameOctets = 253;
constexpr std::string_view kHex = "0123456789abcdef";

// The client in the forms that macros and comparisons need; IPv4 that came as IPv6 is IPv4 (section 5).
struct Client {
  net::Address address;
  bool is_ipv4 = true;
  std::array<std::uint8_t, 16> octets{};
  std::size_t size = 4;

  explicit Client(const net::Address& given) : address(given) {
    if (const auto plain = net::Address::from_ip(given.ip(), 0)) address = *plain;
    const sockaddr* system = address.system();
    is_ipv4 = address.is_ip() && system->sa_family == AF_INET;
    size = is_ipv4 ? 4 : 16;
    const void* from = is_ipv4 ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(system)->sin_addr)
                               : &reinterpret_cast<const sockaddr_in6*>(system)->sin6_addr;
    std::copy_n(static_cast<const std::uint8_t*>(from), size, octets.begin());
  }
  [[nodiscard]] std::string dotted() const {  // of the macro i
    if (is_ipv4) return address.ip();
    std::string nibbles;
    for (const auto octet : octets) {
      if (!nibbles.empty()) nibbles += '.';
      nibbles += {kHex[octet >> 4], '.', kHex[octet & 15]};
    }
    return nibbles;
  }
  [[nodiscard]] std::string reverse_name() const {
    std::string name;
    if (is_ipv4) {
      for (std::size_t i = size; i-- > 0;) name += std::to_string(octets[i]) + '.';
      return name + "in-addr.arpa";
    }
    for (std::size_t i = size; i-- > 0;) name += {kHex[octets[i] & 15], '.', kHex[octets[i] >> 4], '.'};
    return name + "ip6.arpa";
  }
};

bool has_good_labels(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameOctets) return false;
  return std::ranges::all_of(text::split(name, '.'), [](std::string_view label) { return !label.empty() && label.size() <= kMaxLabelOctets; });
}

std::string without_final_dot(std::string_view name) { return std::string(name.ends_with('.') ? name.substr(0, name.size() - 1) : name); }

// Ends the evaluation as a whole.
struct Stop {
  Result result;
  std::string problem;
};

class Evaluation {
 public:
  Evaluation(const Query& query, const LookUp& look_up, const Limits& limits)
      : query_(query), look_up_(look_up), limits_(limits), client_(query.client), deadline_(Clock::now() + std::chrono::milliseconds(limits.milliseconds)) {
    const auto at = query.sender.rfind('@');
    const std::string_view domain = at == std::string::npos ? std::string_view(query.sender) : std::string_view(query.sender).substr(at + 1);
    const bool takes_helo = query.identity == Identity::Helo || query.sender.empty();
    domain_ = takes_helo ? query.helo : std::string(domain);
    // Section 4.3: without a local part it is postmaster.
    const bool has_local_part = !takes_helo && at != std::string::npos && at > 0;
    sender_ = has_local_part ? query.sender : "postmaster@" + domain_;
  }

  Outcome run() {
    const std::string domain = without_final_dot(domain_);
    // Section 4.3: nobody can publish anything for what is no name.
    if (!has_good_labels(domain) || domain.find('.') == std::string::npos || domain.front() == '[')
      return {.result = Result::None, .mechanism = {}, .problem = "'" + text::printable(domain_) + "' is not a domain name", .explanation = {}};
    auto outcome = check_host(domain, true);
    return outcome ? *outcome : Outcome{.result = outcome.error().result, .mechanism = {}, .problem = outcome.error().problem, .explanation = {}};
  }

 private:
  using Clock = std::chrono::steady_clock;
  template <class T>
  using Or = std::expected<T, Stop>;

  static std::unexpected<Stop> permanent(std::string problem) { return std::unexpected(Stop{Result::PermError, std::move(problem)}); }
  static std::unexpected<Stop> temporary(std::string problem) { return std::unexpected(Stop{Result::TempError, std::move(problem)}); }

  // ---- DNS within the limits

  Or<Answer> ask(const std::string& name, Type type) {
    if (Clock::now() >= deadline_) return temporary("it takes longer than " + std::to_string(limits_.milliseconds) + " ms");
    Answer answer;
    answer.status = Status::NoName;
    if (!has_good_labels(name)) return answer;  // after macros: it cannot exist
    answer = look_up_(name, type);
    if (answer.status == Status::Temporary || answer.status == Status::Bogus) return temporary(answer.problem);
    return answer;
  }
  // Of a term: questions without an answer are counted.
  Or<Answer> ask_counted(const std::string& name, Type type) {
    auto answer = ask(name, type);
    if (answer && answer->status != Status::Found && ++void_look_ups_ > limits_.void_look_ups)
      return permanent("more than " + std::to_string(limits_.void_look_ups) + " look-ups without an answer");
    return answer;
  }
  Or<void> count_term() {
    if (++terms_ > limits_.terms) return permanent("more than " + std::to_string(limits_.terms) + " terms that ask DNS");
    return {};
  }
  [[nodiscard]] Type address_type() const { return client_.is_ipv4 ? Type::A : Type::Aaaa; }

  // ---- the record of a domain: sections 4.4, 4.5

  Or<std::optional<Record>> record_of(const std::string& domain) {
    const auto answer = ask(domain, Type::Txt);
    if (!answer) return std::unexpected(answer.error());
    auto texts = answer->texts();
    std::erase_if(texts, [](const std::string& each) { return !is_record(each); });
    if (texts.empty()) return std::nullopt;
    if (texts.size() > 1) return permanent(domain + " has " + std::to_string(texts.size()) + " SPF records");
    auto record = parse(texts.front());
    if (!record) return permanent("the record of " + domain + ": " + record.error());
    return std::optional(std::move(*record));
  }

  // Section 4.6. `wants_explanation`: not inside of an include.
  Or<Outcome> check_host(std::string domain, bool wants_explanation) {
    for (bool is_redirected = false;; is_redirected = true) {
      const auto found = record_of(domain);
      if (!found) return std::unexpected(found.error());
      if (!*found) {
        if (is_redirected) return permanent("redirect to " + domain + ", which has no SPF record");
        return Outcome{.result = Result::None, .mechanism = {}, .problem = domain + " has no SPF record", .explanation = {}};
      }
      const Record& record = **found;
      for (const auto& mechanism : record.mechanisms) {
        const auto is_match = matches(mechanism, domain);
        if (!is_match) return std::unexpected(is_match.error());
        if (!*is_match) continue;
        Outcome outcome{.result = mechanism.qualifier, .mechanism = mechanism.text, .problem = {}, .explanation = {}};
        if (outcome.result == Result::Fail && wants_explanation) outcome.explanation = explanation(record, domain);
        return outcome;
      }
      if (record.redirect.empty()) return Outcome{.result = Result::Neutral, .mechanism = "default", .problem = {}, .explanation = {}};
      if (const auto counted = count_term(); !counted) return std::unexpected(counted.error());
      domain = expand_domain(record.redirect, values(domain));
    }
  }

  // ---- section 5

  Or<bool> matches(const Mechanism& mechanism, const std::string& domain) {
    using Kind = Mechanism::Kind;
    switch (mechanism.kind) {
      case Kind::All: return true;
      case Kind::Ip4: return client_.is_ipv4 && mechanism.network.contains(client_.address);
      case Kind::Ip6: return !client_.is_ipv4 && mechanism.network.contains(client_.address);
      default: break;
    }
    if (const auto counted = count_term(); !counted) return std::unexpected(counted.error());
    const std::string target = mechanism.domain.empty() ? domain : expand_domain(mechanism.domain, values(domain));
    switch (mechanism.kind) {
      case Kind::Include: return includes(target);
      case Kind::A: return has_address(target, mechanism);
      case Kind::Mx: return has_exchanger(target, mechanism);
      case Kind::Ptr: return is_validated_below(target);
      default: return exists(target);
    }
  }

  // Section 5.2.
  Or<bool> includes(const std::string& target) {
    const auto outcome = check_host(target, false);
    if (!outcome) return std::unexpected(outcome.error());
    if (outcome->result == Result::None) return permanent("include:" + target + ", which has no SPF record");
    return outcome->result == Result::Pass;
  }

  Or<bool> has_address(const std::string& name, const Mechanism& mechanism) {
    const auto answer = ask_counted(name, address_type());
    if (!answer) return std::unexpected(answer.error());
    const unsigned bits = client_.is_ipv4 ? mechanism.ipv4_bits : mechanism.ipv6_bits;
    return std::ranges::any_of(answer->records, [&](const std::string& record) { return is_in_network(record, bits); });
  }
  [[nodiscard]] bool is_in_network(std::string_view octets, unsigned bits) const {
    if (octets.size() != client_.size) return false;
    for (std::size_t i = 0; i < client_.size && bits > 0; ++i) {
      const unsigned here = std::min(bits, 8U);
      const auto mask = static_cast<std::uint8_t>(0xff00U >> here);
      if (((static_cast<std::uint8_t>(octets[i]) ^ client_.octets[i]) & mask) != 0) return false;
      bits -= here;
    }
    return true;
  }

  Or<bool> has_exchanger(const std::string& name, const Mechanism& mechanism) {
    const auto answer = ask_counted(name, Type::Mx);
    if (!answer) return std::unexpected(answer.error());
    const auto exchangers = answer->mx();
    if (exchangers.size() > limits_.names) return permanent(name + " has more than " + std::to_string(limits_.names) + " MX records");
    for (const auto& exchanger : exchangers) {
      if (exchanger.host.empty()) continue;  // RFC 7505
      const auto is_match = has_address(exchanger.host, mechanism);
      if (!is_match || *is_match) return is_match;
    }
    return false;
  }

  Or<bool> exists(const std::string& name) {
    const auto answer = ask_counted(name, Type::A);  // whatever the client's family is
    if (!answer) return std::unexpected(answer.error());
    return answer->status == Status::Found;
  }

  // ---- validated names: section 5.5

  static bool is_at_or_below(std::string_view name, std::string_view domain) {
    if (name.size() < domain.size() || !text::equal_ignoring_case(name.substr(name.size() - domain.size()), domain)) return false;
    return name.size() == domain.size() || name[name.size() - domain.size() - 1] == '.';
  }
  // Names of the client whose addresses are the client's. Nothing of this is an error: what cannot be asked is not there.
  const std::vector<std::string>& validated_names() {
    if (validated_) return *validated_;
    validated_.emplace();
    const auto answer = ask_counted(client_.reverse_name(), Type::Ptr);
    if (!answer) return *validated_;
    auto names = answer->names();
    if (names.size() > limits_.names) names.resize(limits_.names);
    for (auto& name : names) {
      const auto addresses = ask(name, address_type());
      if (!addresses) continue;
      if (std::ranges::any_of(addresses->records, [&](const std::string& record) { return is_in_network(record, 128); })) validated_->push_back(std::move(name));
    }
    return *validated_;
  }
  Or<bool> is_validated_below(const std::string& domain) {
    return std::ranges::any_of(validated_names(), [&](const std::string& name) { return is_at_or_below(name, domain); });
  }
  // Section 7.3: the domain itself, else one below it, else any.
  std::string validated_name(const std::string& domain) {
    const auto& names = validated_names();
    if (names.empty()) return "unknown";
    for (const auto& name : names)
      if (text::equal_ignoring_case(name, domain)) return name;
    for (const auto& name : names)
      if (is_at_or_below(name, domain)) return name;
    return names.front();
  }

  // ---- sections 6.2, 7

  MacroValues values(const std::string& domain) {
    return {.sender = sender_,
            .domain = domain,
            .address = client_.dotted(),
            .address_text = client_.address.ip(),
            .address_kind = client_.is_ipv4 ? "in-addr" : "ip6",
            .helo = without_final_dot(query_.helo),
            .receiver = query_.receiver,
            .time = std::to_string(std::time(nullptr)),
            .validated = [this, domain] { return validated_name(domain); }};
  }
  // Whatever is wrong with it: there is none.
  std::string explanation(const Record& record, const std::string& domain) {
    if (record.explanation.empty()) return {};
    const auto answer = ask(expand_domain(record.explanation, values(domain)), Type::Txt);
    if (!answer) return {};
    const auto texts = answer->texts();
    if (texts.size() != 1 || !is_macro_string(texts.front(), true)) return {};
    return expand(texts.front(), values(domain));
  }

  const Query& query_;
  const LookUp& look_up_;
  Limits limits_;
  Client client_;
  Clock::time_point deadline_;
  std::string domain_;
  std::string sender_;
  unsigned terms_ = 0;
  unsigned void_look_ups_ = 0;
  std::optional<std::vector<std::string>> validated_;
};

}  // namespace

Outcome check(const Query& query, const LookUp& look_up, const Limits& limits) {
  if (!query.client.is_ip()) return {.result = Result::None, .mechanism = {}, .problem = "the client has no IP address", .explanation = {}};
  return Evaluation(query, look_up, limits).run();
}

}  // namespace authn::spf
