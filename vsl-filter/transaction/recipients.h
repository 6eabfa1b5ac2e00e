// The forward-paths of a transaction: what RCPT brought and rules made of it (vsl.md 3.4, 3.6).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/chain/transfer.h"
#include "lib/mail/dsn.h"

namespace rules {

// email_status of vsl.md 4.4.
struct DeliveryStatus {
  enum class Kind : std::uint8_t { Waiting, Sent, HeldBack, Failed } kind = Kind::Waiting;
  struct Error {
    base::WallTime time;
    bool is_no_such_mailbox = false;  // then `text` is the mailbox's name
    std::string text;

    friend bool operator==(const Error&, const Error&) = default;
  };
  base::WallTime time{};
  std::string reason;         // of Failed
  std::vector<Error> errors;  // of HeldBack

  friend bool operator==(const DeliveryStatus&, const DeliveryStatus&) = default;
};

struct Recipient {
  std::string address;
  std::optional<std::string> given;  // as RCPT said it; nothing: rules added this one
  chain::Transfer transfer;
  std::optional<chain::Transfer> before_quarantine = {};  // its transfer, until quarantine() switched it off
  DeliveryStatus status;
  mail::DsnRequest::Recipient dsn = {};  // what the sender wants to be told

  // Another address takes its place; the sender is told about the one that he knows.
  void readdress(std::string new_address);
};

class Recipients {
 public:
  [[nodiscard]] std::span<const Recipient> all() const { return list_; }
  [[nodiscard]] std::size_t size() const { return list_.size(); }
  [[nodiscard]] bool contains(std::string_view address) const;
  // What RCPT said and rules have removed since.
  [[nodiscard]] std::span<const std::string> removed() const { return removed_; }

  // RCPT. The same one may come twice.
  void add_given(std::string address, base::WallTime now);
  // The last RCPT was refused (D-12): as if it had not come.
  void drop_last_given();
  // As it was before, from a context or a state token.
  void restore(Recipient recipient);
  void restore_at(std::size_t position, Recipient recipient);
  void restore_removed(std::string given) { removed_.push_back(std::move(given)); }

  // Fault::Permanent: not a valid address. Adding one that is there changes nothing.
  [[nodiscard]] base::Result<void> add(std::string_view address, base::WallTime now);
  // The first equal one; absent: nothing.
  [[nodiscard]] base::Result<void> remove(std::string_view address);
  // `new_address` takes the place of the first one equal to `old_address`, with a fresh transport; absent: it is added.
  [[nodiscard]] base::Result<void> rewrite(std::string_view old_address, std::string_view new_address, base::WallTime now);

  // Every recipient equal to `address`; none: "could not find rcpt 'x'".
  [[nodiscard]] base::Result<void> set_transfer(std::string_view address, const chain::Transfer& transfer);
  // Nothing is delivered, until restore_transfers(). That of which nothing is known is the usual one then.
  void quarantine();
  void restore_transfers();
  // All of them, for one reason.
  void fail_all(const std::string& reason, base::WallTime now);
  void set_transfer_of_all(const chain::Transfer& transfer);

 private:
  void note(std::string_view address, int difference);
  [[nodiscard]] std::size_t find(std::string_view key) const;  // size() when it is not there

  std::vector<Recipient> list_;
  std::vector<std::string> keys_;  // address_key() of each
  std::unordered_map<std::string, std::size_t> counts_;  // of each key, so that a thousand bcc() do not look through all each time
  std::vector<std::string> removed_;
};

// The transfer of forward(rcpt, target): "x could not be used as a forward target."
[[nodiscard]] base::Result<chain::Transfer> forward_to(std::string_view target);

}  // namespace rules
