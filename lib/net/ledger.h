// What clients did lately, by address and by network, in memory that several processes share: the workers of a server, servers of
// several ports, one-shot sessions, and whoever looks at it. Its size is fixed: a flood from everywhere forgets the oldest, it takes no
// more memory. What is counted is the user's to say.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/result.h"
#include "lib/net/socket.h"

namespace net {

// The first `bits` of an address; IPv4 in the IPv6 form (::ffff:192.0.2.1, bits from 96 on).
struct Prefix {
  std::array<unsigned char, 16> octets{};
  std::uint8_t bits = 0;

  // All bits after the `bits`th are cleared. `ipv4_bits` of an IPv4 address, `ipv6_bits` of another one.
  [[nodiscard]] static Prefix of(const Address& address, unsigned ipv4_bits, unsigned ipv6_bits);
  [[nodiscard]] std::string text() const;  // "192.0.2.1", "192.0.2.0/24", "2001:db8::/64"
  friend bool operator==(const Prefix&, const Prefix&) = default;
};

class Ledger {
 public:
  // The last column is for what speaks for a client: who has something there is forgotten later than who has not.
  static constexpr std::size_t kColumns = 7;
  using Periods = std::array<std::uint64_t, kColumns>;  // in how many milliseconds each column counts

  // Of a file that is made when it is not there, or of another size or from before the machine was started; "": of memory that this process
  // and those that it forks share.
  [[nodiscard]] static base::Result<Ledger> open(const std::string& path, std::size_t rows, const Periods& periods);
  // A file that somebody else keeps.
  [[nodiscard]] static base::Result<Ledger> look_at(const std::string& path);

  // Adds to a column and says how much it has in its last period. `now` in milliseconds of the machine's boot clock, here and below.
  double add(const Prefix& whose, std::size_t column, std::uint64_t amount, std::uint64_t now);
  [[nodiscard]] double count(const Prefix& whose, std::size_t column, std::uint64_t now) const;

  [[nodiscard]] std::array<double, kColumns> counts(const Prefix& whose, std::uint64_t now) const;

  // For `milliseconds`, twice as long at each time again, up to `most`; once more while it holds changes nothing. Returns for how long.
  std::uint64_t ban(const Prefix& whose, std::uint64_t milliseconds, std::uint64_t most, std::uint64_t now);
  // Until when; 0: not at all.
  [[nodiscard]] std::uint64_t banned_until(const Prefix& whose, std::uint64_t now) const;

  struct Row {
    Prefix whose;
    std::array<double, kColumns> counts;
    std::uint64_t banned_until = 0;  // 0: not
    unsigned bans = 0;
  };
  [[nodiscard]] std::vector<Row> rows(std::uint64_t now) const;  // those with something in the last period, or banned
  // True: there was something.
  bool forget(const Prefix& whose);

  // States that all who share the ledger know of, each said to last until a time; whoever is in it says so again and again.
  static constexpr std::size_t kMarks = 4;
  void set_mark(std::size_t mark, std::uint64_t until);
  [[nodiscard]] std::uint64_t mark(std::size_t mark) const;

  [[nodiscard]] static std::uint64_t now();

 private:
  struct Table;
  struct Slot;
  explicit Ledger(std::shared_ptr<Table> table) : table_(std::move(table)) {}
  Slot* find(const Prefix& whose, std::uint64_t now, bool makes) const;
  void advance(Slot& slot, std::size_t column, std::uint64_t now) const;
  [[nodiscard]] double in_last_period(const Slot& slot, std::size_t column, std::uint64_t now) const;

  class Held;
  std::shared_ptr<Table> table_;
};

}  // namespace net
