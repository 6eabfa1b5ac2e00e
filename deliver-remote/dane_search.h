// Asks DNS for the TLSA records of a host: RFC 7672 sections 2.2 and 3.2.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "deliver-remote/route.h"

namespace remote {

// ---- the pure parts

// Which names to ask for the records of a host, by what DNS has said of its addresses (section 2.2.2): what its name stands for, then its
// name; none where nothing vouches for its addresses.
struct TlsaBases {
  std::vector<std::string> names;
  bool is_alias_to_be_asked = false;  // its addresses are insecure, but its name is an alias and may be of a secure zone: then it will do
};
[[nodiscard]] TlsaBases tlsa_bases(const Host& host);

[[nodiscard]] std::string tlsa_name(std::string_view base, std::uint16_t port);  // "_25._tcp.mx.example.org"

// nullptr: there are none; the next name may have some. `names`: the destination's, beside `base` (section 3.2.2).
[[nodiscard]] std::shared_ptr<DaneHost> read_tlsa(const net::dns::Answer& answer, const std::string& base, std::span<const std::string> names);

// ---- the questions

class DaneSearch {
 public:
  using Done = std::function<void(std::shared_ptr<const DaneHost>)>;
  // `done` is called later from the loop, or from inside start(), once. `resolver` is borrowed.
  DaneSearch(net::dns::Resolver& resolver, std::uint16_t port, std::vector<std::string> names, Done done);
  ~DaneSearch();  // `done` is not called any more
  DaneSearch(const DaneSearch&) = delete;
  DaneSearch& operator=(const DaneSearch&) = delete;

  void start(const Host& host);

 private:
  void ask_for_alias(const std::string& host);
  void ask_next();
  void finish(std::shared_ptr<const DaneHost> found);

  net::dns::Resolver& resolver_;
  std::uint16_t port_;
  std::vector<std::string> names_;
  Done done_;
  std::vector<std::string> bases_;
  std::size_t asked_ = 0;  // of them
  std::uint64_t question_ = 0;
};

}  // namespace remote
