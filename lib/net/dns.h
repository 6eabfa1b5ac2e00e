// DNS questions, answered by libunbound: its cache, its retries and its validation, behind types of ours.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/net/loop.h"

namespace base {
class Settings;
struct Sandbox;
}

namespace net::dns {

enum class Type : std::uint16_t { A = 1, Cname = 5, Ptr = 12, Mx = 15, Txt = 16, Aaaa = 28, Tlsa = 52 };
std::string_view type_name(Type type);  // "MX"

enum class Status : std::uint8_t {
  Found,
  NoData,     // the name exists, without records of this type
  NoName,     // NXDOMAIN
  Temporary,  // nobody could be asked, or nobody knew: SERVFAIL, a time limit
  Bogus,      // DNSSEC validation failed: the answer is forged or its zone broken
};

struct Mx {
  std::uint16_t preference = 0;
  std::string host;  // without the dot at its end; "" is the root, which RFC 7505 gives a meaning
};

struct Answer {
  Status status = Status::Temporary;
  bool is_secure = false;             // validated; also for NoData and NoName
  std::uint32_t ttl_seconds = 0;
  std::string canonical_name;         // where CNAMEs have led to, without the dot at its end
  std::vector<std::string> records;   // RDATA as on the wire
  std::string problem;                // when Temporary or Bogus: "MX example.org: SERVFAIL"

  // The records read as their type says; what is not of that form is left out.
  [[nodiscard]] std::vector<Mx> mx() const;
  [[nodiscard]] std::vector<std::string> addresses() const;  // A and AAAA as text
  [[nodiscard]] std::vector<std::string> names() const;      // PTR, without the dot at the end
  [[nodiscard]] std::vector<std::string> texts() const;      // TXT, the strings of a record joined (RFC 7208 section 3.3)
};

struct Settings {
  // "192.0.2.53", "2001:db8::53", with "@5353" for a port. Empty: those of `resolv_conf`. "none": nobody is asked to do it for
  // us, the search begins at the root.
  std::vector<std::string> servers;
  std::string resolv_conf = "/etc/resolv.conf";  // read again when it has changed
  std::vector<std::string> stubs;  // "example.org=192.0.2.53@5353": this zone is asked there
  std::string trust_anchor;        // file with DS or DNSKEY records; empty: nothing is validated
  std::uint64_t timeout_milliseconds = 30'000;
};
Settings settings_of(const base::Settings& settings);  // the section [dns] of vsmtp.ini
// What answers to these settings take inside of a sandbox: files, and the ports of servers.
void add_needs(base::Sandbox& sandbox, const base::Settings& settings);

// Costs nothing until the first question: then libunbound is set up and begins its thread.
class Resolver {
 public:
  using Done = std::function<void(const Answer&)>;

  explicit Resolver(Settings settings);
  Resolver(Loop& loop, Settings settings);
  ~Resolver();  // questions that are open end in nothing
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // `done` is called later from the loop, never from inside resolve(). `name` is ASCII, the root's dot is implied. Open
  // questions keep Loop::run() going. Returns a handle for cancel().
  std::uint64_t resolve(const std::string& name, Type type, Done done);
  void cancel(std::uint64_t handle);

  // Blocks, at most for the time limit. Only of a resolver without a loop.
  [[nodiscard]] Answer resolve_now(const std::string& name, Type type);

 private:
  struct Internal;
  std::unique_ptr<Internal> internal_;
};

}  // namespace net::dns
