// What a message call brings, checked and made into an item of the spool. The same for both lives of queue-inject.
#pragma once

#include <cstdint>
#include <expected>

#include "lib/base/settings.h"
#include "lib/chain/delegation.h"
#include "lib/chain/log_ids.h"
#include "lib/chain/message_call.h"
#include "lib/queue/item.h"
#include "lib/queue/place.h"

struct IntakeRules {
  std::uint64_t message_octets;   // queue.message_limit
  std::uint64_t hops;             // queue.hop_limit
  std::uint64_t address_octets;   // queue.address_limit
  queue::Place place;             // unless the call or its context names another
  base::BlobWriter::Limits memory;

  static IntakeRules from(const base::Settings& settings);
};

struct Accepted {
  queue::Item item;
  base::Blob message;
  queue::Place place;
  std::optional<base::WallTime> modified;  // of State::Deferred: the first attempt
  std::optional<chain::Delegation> returned;  // it is no new message, but one of the queue that its content filter gives back
};

// Why not: the answer, and the cause for the log.
struct Refused {
  chain::Answer answer;
  std::string cause;
};

// The call's arguments: --queue STATE, --quarantine NAME. Its context: members "queue" and "quarantine", which win.
[[nodiscard]] std::expected<Accepted, Refused> take_in(const chain::Invocation& invocation, const IntakeRules& rules);

// --queue and --quarantine as words, for call arguments and the command line.
[[nodiscard]] base::Result<queue::Place> parse_place_option(std::string_view option, std::string_view value);

// For the log: by what it will be found there from now on, and by what before.
class Queued {
 public:
  Queued(const Accepted& accepted, std::string_view context)
      : ids_{accepted.item.id.string(), chain::transaction_of(context)},
        reverse_path_(accepted.item.envelope.reverse_path),
        recipients_(accepted.item.envelope.recipients.size()),
        octets_(accepted.item.message_octets) {}
  void log() const;
  [[nodiscard]] const chain::LogIds& ids() const { return ids_; }

 private:
  chain::LogIds ids_;
  std::string reverse_path_;
  std::size_t recipients_;
  std::uint64_t octets_;
};

// "250 2.0.0 Ok: queued as ID".
[[nodiscard]] chain::Answer taken(const queue::Id& id);
